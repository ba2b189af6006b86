"""Writing prompts of published sets, and what they are put together by: buckets of length, languages.

Sources: LongBench-Write and LongWrite-Ruler ("LongWriter", 2024), HelloBench (2024). Owns reading the published files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, PositiveInt

from longdoc.errors import EmptyDocumentError
from longdoc.evaluation.json_lines import read_file, read_lines

_CJK = re.compile(r"[\u4e00-\u9fff]")
_LEAST = re.compile(r"\bno shorter than ([\d,]+) words\b", re.IGNORECASE)
"""How HelloBench asks for a length."""

_Text = Annotated[str, Field(pattern=r"\S")]
_Row = TypeVar("_Row", bound=BaseModel)


class Bucket(StrEnum):
    """Lengths that LongBench-Write tells apart, in words asked for, from the first number to below the second one.

    Its longest, 20,000, is in the last bucket of the set; what asks for more has one of its own, which is ours.
    """

    UNDER_500 = "<500"
    TO_2000 = "500-2k"
    TO_4000 = "2k-4k"
    TO_20000 = "4k-20k"
    OVER_20000 = ">20k"


class Language(StrEnum):
    """What a prompt is written in, as far as word counts depend on it."""

    CJK = "cjk"
    """It holds Chinese characters, be it a few: so LongBench-Write's are counted as Chinese ones."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class WritingPrompt:
    """A request to write. `id` is the set's own, else the name of its file and the place in it, counted from 1.

    `asked` is the length in words, None where none is named; with `at_least` it may be passed, so that a length score
    does not judge it. `checklist` are the questions by which HelloBench has a text judged.
    """

    id: str
    prompt: str
    kind: str
    asked: int | None = None
    at_least: bool = False
    checklist: tuple[str, ...] = ()

    @property
    def bucket(self) -> Bucket | None:
        """Its bucket; None where no length is asked for."""
        return None if self.asked is None else bucket_of(self.asked)

    @property
    def language(self) -> Language:
        """What it is written in; the text may be asked for in another language."""
        return Language.CJK if _CJK.search(self.prompt) else Language.OTHER


class _LongWriterRow(BaseModel):
    prompt: _Text
    type: str
    length: PositiveInt


class _HelloBenchRow(BaseModel):
    id: str
    category: str
    instruction: _Text
    checklists: list[str]


def bucket_of(words: int) -> Bucket:
    """The bucket of a length."""
    limits = {500: Bucket.UNDER_500, 2000: Bucket.TO_2000, 4000: Bucket.TO_4000, 20_001: Bucket.TO_20000}
    return next((bucket for limit, bucket in limits.items() if words < limit), Bucket.OVER_20000)


def read_prompts(path: Path) -> list[WritingPrompt]:
    """The prompts of a file of any of these sets, told by its first line. Raises as `read_longwriter` does."""
    first = next((line for line in read_file(path).split("\n") if line.strip()), "")
    return list(read_hellobench(path) if '"instruction"' in first else read_longwriter(path))


def read_longwriter(path: Path) -> Iterator[WritingPrompt]:
    """The prompts of LongBench-Write or LongWrite-Ruler, a file of lines `{"prompt", "type", "length"}`, in order.

    Raises `DocumentError`, when it comes to it: for a file that cannot be read or holds no prompt, and for a line that
    has another shape, which it names.
    """
    for number, row in enumerate(_rows(path, _LongWriterRow), 1):
        yield WritingPrompt(f"{path.stem}-{number}", row.prompt, row.type, row.length)


def read_hellobench(path: Path) -> Iterator[WritingPrompt]:
    """The prompts of a file of HelloBench, lines `{"id", "category", "instruction", "checklists"}`, in order.

    Its lengths are the least that is asked for. Raises as `read_longwriter` does.
    """
    for row in _rows(path, _HelloBenchRow):
        least = _LEAST.search(row.instruction)
        yield WritingPrompt(
            row.id,
            row.instruction,
            row.category,
            asked=int(least[1].replace(",", "")) if least else None,
            at_least=least is not None,
            checklist=tuple(row.checklists),
        )


def _rows(path: Path, shape: type[_Row]) -> Iterator[_Row]:
    empty = True
    for row in read_lines(path, shape):
        empty = False
        yield row
    if empty:
        raise EmptyDocumentError("holds no prompt", source=str(path))
