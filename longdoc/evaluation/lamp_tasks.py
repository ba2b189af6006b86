"""LaMP's tasks as files have them: which fields of an item are its text and its output, what of an input is asked.

Source: LaMP (arXiv 2304.11406), table 1 and appendix A. What the inputs of a file have in common at their beginning is
the instruction, and not searched; an input without it works like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

from pydantic import BaseModel, ConfigDict

from longdoc.agents.profile_tasks import BUILT_IN, OutputKind, ProfileTask
from longdoc.errors import ConfigError
from longdoc.storage.clock import read_moment
from longdoc.storage.profile_types import NewItem

_FEWEST_INPUTS = 10
"""Of fewer inputs nobody can say what they have in common by chance."""
_OUTLIERS = 0.02
_ENDS_OF_INSTRUCTION = re.compile(r"[:.?!]\s+|\n")
_QUOTED = re.compile(r'"(.*)"', re.DOTALL)

COMMIT_TITLES: Final = ProfileTask(
    name="commit-title",
    request="Write the title of this commit, as this author would. Answer with the title alone, in one line.",
    clause='"{output}" is the title of "{text}"',
    summary="a template of this author's commit titles: how they begin, what they name, length, capitals, punctuation, "
    "the words that recur. Say only what holds for this author, nothing that holds for every title",
    searches_output=True,
    one_line=True,
    most_tokens=64,
    metrics=BUILT_IN["title"].metrics,
)
"""The title of a commit from its body: shaped like LaMP's fifth and sixth task."""


class LampItem(BaseModel):
    """An item of a profile, with whatever fields its task has."""

    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)

    id: str | None = None
    text: str | None = None
    title: str | None = None
    abstract: str | None = None
    description: str | None = None
    body: str | None = None
    tag: str | None = None
    score: str | None = None
    date: str | None = None


class LampRecord(BaseModel):
    """An input with its profile. `text`, `title` and `references`, where there are any, say apart what else has to be
    read out of the input."""

    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)

    id: str
    input: str
    profile: list[LampItem]
    text: str | None = None
    title: str | None = None
    references: tuple[str, str] | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class LampFields:
    """A task and the fields of its items that are their text and, but for the last task, their output."""

    task: ProfileTask
    text: str
    output: str | None

    def item(self, one: LampItem, number: int) -> NewItem | None:
        """An item as it is stored, None where it has nothing to be read; one without text has its output alone."""
        values = one.model_dump()
        text = (values[self.text] or "").strip()
        output = (values[self.output] or "").strip() if self.output is not None else ""
        if not text and not output:
            return None
        key = (one.id or f"item {number}")[:200]
        return NewItem(self.task.name, key, text or output, output or None, moment_of(one.date))

    def check_gold(self, id_: str, output: str) -> None:
        """Raise `ConfigError` for a gold output that is none of the task's."""
        if self.task.labels and output.strip() not in self.task.labels:
            raise ConfigError(
                f"the gold output {output!r} of {id_} is none of the labels of {self.task.name}: "
                f"{', '.join(self.task.labels)}"
            )
        if self.task.output is OutputKind.NUMBER:
            try:
                float(output)
            except ValueError as error:
                raise ConfigError(f"the gold output {output!r} of {id_} is no number") from error


LAMP: Final = {
    1: LampFields(BUILT_IN["lamp-1"], "abstract", "title"),
    2: LampFields(BUILT_IN["lamp-2"], "description", "tag"),
    3: LampFields(BUILT_IN["lamp-3"], "text", "score"),
    4: LampFields(BUILT_IN["lamp-4"], "text", "title"),
    5: LampFields(BUILT_IN["lamp-5"], "abstract", "title"),
    6: LampFields(BUILT_IN["lamp-6"], "text", "title"),
    7: LampFields(BUILT_IN["lamp-7"], "text", None),
}
"""The seven tasks by their number."""
COMMITS: Final = LampFields(COMMIT_TITLES, "body", "title")


@dataclass(frozen=True, slots=True)
class LampInput:
    """What an input asks: the text that the task is done with, what items are found by, and what the target has."""

    text: str
    searched: str
    targets: tuple[str, ...]


def task_number(name: str) -> int:
    """The number of a task that is named "LaMP_3", "lamp-3" or "3". Raises `ConfigError`."""
    found = re.fullmatch(r"(?:lamp[_-]?)?([1-7])", name.strip(), re.IGNORECASE)
    if found is None:
        raise ConfigError(f"LaMP has no task {name!r}; there are lamp-1 to lamp-7")
    return int(found[1])


def shared_instruction(inputs: Sequence[str]) -> str:
    """What inputs begin with in common, to the end of a sentence; a few others are passed over. Empty where there are
    too few inputs, or nothing in common."""
    if len(inputs) < _FEWEST_INPUTS:
        return ""
    ordered = sorted(inputs)
    aside = int(len(ordered) * _OUTLIERS)
    # What lies between two in this order begins with what these two begin with.
    pairs = zip(ordered[aside], ordered[-1 - aside], strict=False)
    common = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    ends = [match.end() for match in _ENDS_OF_INSTRUCTION.finditer(common)]
    return common[: ends[-1]] if ends else ""


def read_input(number: int, record: LampRecord, *, gold: str, instruction: str) -> LampInput:
    """What an input of a task asks, by its own fields where it has them."""
    if number == 1:
        return _citation(record)
    stripped = record.input.removeprefix(instruction).strip()
    text = (record.text or stripped or record.input).strip()
    return LampInput(text, text, (text, gold) if number == 7 else (text,))


def moment_of(date: str | None) -> datetime | None:
    """The moment that a date of a file says, in UTC where it names no zone; None where it says none."""
    if not date:
        return None
    try:
        return read_moment(date)
    except (ValueError, OverflowError):
        return None


def _citation(record: LampRecord) -> LampInput:
    """An author's title and two references. Where they cannot be told apart, all of it is asked and searched."""
    title, references = record.title, record.references
    first, second = record.input.rfind("[1]:"), record.input.rfind("[2]:")
    if references is None and 0 <= first < second:
        references = record.input[first + 4 : second].strip(' \n"'), record.input[second + 4 :].strip(' \n"')
    if title is None and first >= 0:
        quoted = _QUOTED.search(record.input[:first])
        title = quoted[1] if quoted else None
    if references is None or title is None:
        return LampInput(record.input, record.input, (title,) if title else ())
    one, other = references
    return LampInput(f'Title: "{title}"\n[1]: "{one}"\n[2]: "{other}"', f"{one}\n{other}", (title,))
