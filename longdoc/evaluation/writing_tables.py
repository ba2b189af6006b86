"""The figures of writing systems as rows of tables: what they score, and what they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from longdoc.evaluation.writing_report import PromptMean, WritingFigures

SCORE_TERMS: Final = (
    "S_l: length score, 0 to 100, a failed generation scores 0; S_q: quality by a judge, 0 to 100, over judged "
    "prompts, both with 95 % intervals; S: (S_l + S_q) / 2; unjudged: texts of which no judgement could be used; "
    "excerpts: texts of which the judge saw stretches only; missing: prompts that only other systems were tried on"
)
TEXT_TERMS: Final = (
    "means over texts written to the end; words: as told to users, off by: from those asked for, in shares of them; "
    "repeated: runs of four words that stood in the text before, across: in a section before; again: sentences that "
    "stand nearly so in a section before; plan: main points that their sections treat; in tolerance: sections within "
    "15 % of their budget"
)

_NONE = "-"
_SCORES: Final[Mapping[str, Callable[[WritingFigures], str]]] = {
    "prompts": lambda one: f"{one.prompts}",
    "missing": lambda one: f"{one.missing}",
    "failed": lambda one: f"{one.failed}",
    "S_l": lambda one: _score(one.length),
    "S_q": lambda one: _score(one.quality),
    "S": lambda one: _NONE if one.overall is None else f"{one.overall:.1f}",
    "unjudged": lambda one: f"{one.unjudged}",
    "excerpts": lambda one: f"{one.in_excerpts}",
}
_TEXTS: Final[Mapping[str, Callable[[WritingFigures], str]]] = {
    "words": lambda one: _count(one.means["words"]),
    "off by": lambda one: _share(one.means["deviation"]),
    "repeated": lambda one: _share(one.means["repetition"]),
    "across": lambda one: _share(one.means["repetition_across"]),
    "again": lambda one: _share(one.means["near_duplicates"]),
    "plan": lambda one: _share(one.means["coverage"]),
    "in tolerance": lambda one: _share(one.means["in_tolerance"]),
    "calls": lambda one: _count(one.means["calls"]),
    "prompt tokens": lambda one: _count(one.means["prompt_tokens"]),
    "written tokens": lambda one: _count(one.means["completion_tokens"]),
    "seconds": lambda one: _count(one.means["seconds"]),
}
SCORE_COLUMNS: Final = ("system", "bucket", *_SCORES)
TEXT_COLUMNS: Final = ("system", "bucket", *_TEXTS)


def score_rows(figures: Sequence[WritingFigures]) -> list[list[str]]:
    """The cells of `SCORE_COLUMNS`, a row for each of the figures."""
    return _rows(figures, _SCORES)


def text_rows(figures: Sequence[WritingFigures]) -> list[list[str]]:
    """The cells of `TEXT_COLUMNS`, a row for each of the figures."""
    return _rows(figures, _TEXTS)


def _rows(figures: Sequence[WritingFigures], cells: Mapping[str, Callable[[WritingFigures], str]]) -> list[list[str]]:
    return [[one.system, one.bucket or "all", *(cell(one) for cell in cells.values())] for one in figures]


def _score(value: PromptMean | None) -> str:
    if value is None:
        return _NONE
    interval = f" [{value.interval[0]:.1f}, {value.interval[1]:.1f}]" if value.interval else ""
    return f"{value.mean:.1f}{interval}"


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"


def _count(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
