"""Tasks that answers are made for a user in: what an item is, what is said of it, what comes out, how it is scored.

Source: LaMP (Salemi and others, 2023, arXiv 2304.11406), whose seven tasks are here, and "Integrating Summarization and
Retrieval for Enhanced Personalization via Large Language Models" (Richardson and others, 2023, arXiv 2310.20081), whose
summaries each have a task. A file adds others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from longdoc.errors import ConfigError

_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_LONGEST_FILE = 1_000_000


class OutputKind(StrEnum):
    """What comes out of a task."""

    LABEL = "label"
    NUMBER = "number"
    TEXT = "text"


class Metric(StrEnum):
    """How outputs are scored."""

    ACCURACY = "accuracy"
    F1 = "f1"
    MAE = "mae"
    RMSE = "rmse"
    ROUGE_1 = "rouge-1"
    ROUGE_L = "rouge-l"


class ProfileTask(BaseModel):
    """A task.

    `request` is what is asked of the input. `clause` is how an item reads, with `{text}` and `{output}`; where an item
    has no output, or the clause does not name it, the text alone is shown. `labels` are those that may be answered;
    where none are named, the user's own. `lowest` and `highest` bound a number. `summary` is what the summary of a user
    is to say; None where it is only counted. `searches_output`: items are found by what came out of them too.
    `one_line`: of an answer only its first line counts; `most_tokens` bounds it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=_NAME)]
    request: Annotated[str, Field(min_length=1, max_length=2_000)]
    output: OutputKind = OutputKind.TEXT
    labels: Annotated[tuple[str, ...], Field(max_length=200)] = ()
    lowest: int = 1
    highest: int = 5
    clause: Annotated[str, Field(max_length=500)] = '"{output}" is the output for "{text}"'
    summary: Annotated[str | None, Field(max_length=2_000)] = None
    searches_output: bool = False
    one_line: bool = False
    most_tokens: Annotated[int, Field(ge=1, le=8_000)] = 128
    metrics: tuple[Metric, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.output is OutputKind.NUMBER and self.lowest >= self.highest:
            raise ValueError("lowest must be below highest")
        if any(not label.strip() for label in self.labels) or len(set(self.labels)) < len(self.labels):
            raise ValueError("labels must differ and not be empty")
        if self.output is OutputKind.TEXT and self.summary is None:
            raise ValueError("a task whose output is a text needs a summary: what is to be said of the user")
        return self

    def clause_of(self, text: str, output: str | None) -> str:
        """How an item reads."""
        if output is None or "{output}" not in self.clause:
            return text
        # Not `format`: braces in a text are the text's own.
        before, _, rest = self.clause.partition("{output}")
        filled = [part.replace("{text}", "\0") for part in (before, rest)]
        return output.join(filled).replace("\0", text)


_TITLE = (
    "a template of this author's {kind}: how they begin, what they name, length, capitals, punctuation, the words that "
    "recur. Say only what holds for this author, nothing that holds for every {kind}"
)

MOVIE_TAGS: Final = (
    "sci-fi",
    "based on a book",
    "comedy",
    "action",
    "twist ending",
    "dystopia",
    "dark comedy",
    "classic",
    "psychology",
    "fantasy",
    "romance",
    "thought-provoking",
    "social commentary",
    "violence",
    "true story",
)
"""The labels of LaMP's second task."""


def _titles(name: str, *, what: str, of: str, kind: str) -> ProfileTask:
    return ProfileTask(
        name=name,
        request=f"Write the {what} of this {of}, as this author would. Answer with the {what} alone, in one line.",
        clause=f'"{{output}}" is the {what} of "{{text}}"',
        summary=_TITLE.format(kind=kind),
        searches_output=name != "lamp-6",
        one_line=True,
        most_tokens=64,
        metrics=(Metric.ROUGE_1, Metric.ROUGE_L),
    )


BUILT_IN: Final[Mapping[str, ProfileTask]] = {
    task.name: task
    for task in (
        ProfileTask(
            name="lamp-1",
            request="Which of the two references would this author cite in it? Answer with [1] or [2] alone.",
            output=OutputKind.LABEL,
            labels=("[1]", "[2]"),
            clause='"{output}" is a paper of this author: "{text}"',
            summary="the topics and interests of this researcher, and nothing else",
            searches_output=True,
            most_tokens=8,
            metrics=(Metric.ACCURACY,),
        ),
        ProfileTask(
            name="lamp-2",
            request="Which tag would this person give the movie? Answer with one tag alone.",
            output=OutputKind.LABEL,
            labels=MOVIE_TAGS,
            clause='"{output}" is the tag for "{text}"',
            most_tokens=16,
            metrics=(Metric.ACCURACY, Metric.F1),
        ),
        ProfileTask(
            name="lamp-3",
            request="How many stars, from 1 to 5, would this person give with this review? Answer with the number.",
            output=OutputKind.NUMBER,
            clause='"{output}" is the score for "{text}"',
            most_tokens=8,
            metrics=(Metric.MAE, Metric.RMSE),
        ),
        _titles("lamp-4", what="headline", of="article", kind="headlines"),
        _titles("lamp-5", what="title", of="abstract of a paper", kind="titles"),
        _titles("lamp-6", what="subject", of="mail", kind="subjects"),
        ProfileTask(
            name="lamp-7",
            request="Write this post anew in the manner of this person. Answer with the post alone.",
            clause="{text}",
            summary="a template of this person's posts: style, punctuation, capitals, words, tone. Say only what holds "
            "for this person",
            most_tokens=128,
            metrics=(Metric.ROUGE_1, Metric.ROUGE_L),
        ),
        _titles("title", what="title", of="text", kind="titles"),
        ProfileTask(
            name="label",
            request="Which label would this person give it? Answer with the label alone.",
            output=OutputKind.LABEL,
            clause='"{output}" is the label of "{text}"',
            most_tokens=32,
            metrics=(Metric.ACCURACY, Metric.F1),
        ),
        ProfileTask(
            name="rating",
            request="How would this person rate it, from 1 to 5? Answer with the number alone.",
            output=OutputKind.NUMBER,
            clause='"{output}" is the rating of "{text}"',
            most_tokens=8,
            metrics=(Metric.MAE, Metric.RMSE),
        ),
        ProfileTask(
            name="rewrite",
            request="Write this anew in the manner of this person. Answer with the new text alone.",
            clause="{text}",
            summary="how this person writes: style, punctuation, capitals, words, tone. Say only what holds for this "
            "person",
            most_tokens=512,
            metrics=(Metric.ROUGE_1, Metric.ROUGE_L),
        ),
        ProfileTask(
            name="answer",
            request="Answer this for this person, with their preferences in mind.",
            clause='"{output}" came of "{text}"',
            summary="what this person prefers, likes, avoids, does, and how they want to be answered",
            most_tokens=512,
        ),
    )
}
"""The tasks that are always there, by name."""


def load_tasks(path: Path | None) -> Mapping[str, ProfileTask]:
    """The tasks of a TOML file, a table each, over those that are always there.

        [commit-title]
        request = "Write the title of this commit. Answer with the title alone."
        clause = '"{output}" is the title of "{text}"'
        summary = "a template of this author's commit titles"

    Raises `ConfigError`, which says what is wrong where.
    """
    if path is None:
        return BUILT_IN
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise ConfigError(f"{path} is too large for a file of tasks")
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the tasks of {path} cannot be read: {error}") from error
    tasks = dict(BUILT_IN)
    for name, table in tables.items():
        if name in BUILT_IN:
            raise ConfigError(f"{path}: there is a task {name!r} already; give yours another name")
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {name!r} is no task; a task is a table: [{name}]")
        try:
            tasks[name] = ProfileTask.model_validate({"name": name, **table})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"{path}: task {name!r}, {where or 'as a whole'}: {first['msg']}") from error
    return tasks


def find_task(tasks: Mapping[str, ProfileTask], name: str) -> ProfileTask:
    """The task of that name. Raises `ConfigError`."""
    if name not in tasks:
        raise ConfigError(f"there is no task {name!r}; there are {', '.join(sorted(tasks))}")
    return tasks[name]
