"""How much sections repeat each other: longdoc's layout beside the published one, same model, same plans."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.table import BenchmarkTable
from longdoc.agents.published_writing import PublishedWriter
from longdoc.agents.sentences import count_words
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import write_draft
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.evaluation.writing_repeats import near_duplicate_sentences, repeated_four_grams_across
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.draft_types import DraftPlan, PlannedSection
from longdoc.storage.runs import RunRequest

_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
_RECORD = Path(".cache/benchmarks/writing_repetition.db")
_WORDS = 300
_TEXTS = {
    "lighthouses": (
        "fires on cliffs",
        "towers of oak",
        "the lens of Fresnel",
        "keepers and their families",
        "the last lamps",
    ),
    "bread": ("wild grain", "the first ovens", "millers and their stones", "bread and revolt", "yeast and factories"),
    "maps": ("clay and sand", "sailors and portolans", "surveys of kings", "railways and time", "pictures from space"),
}
"""What is written about, and the main points of the sections."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The sections of a text."""

    layout: str
    topic: str
    sections: Sequence[str]

    @property
    def across(self) -> float:
        return repeated_four_grams_across(self.sections) or 0.0

    def row(self) -> list[str]:
        again = near_duplicate_sentences(self.sections).rate or 0.0
        words = sum(map(count_words, self.sections))
        return [self.topic, self.layout, str(len(self.sections)), f"{words:,}", f"{self.across:.1%}", f"{again:.1%}"]


def run() -> BenchmarkTable:
    """Write every text in both layouts."""
    written = asyncio.run(_measured())
    ours, published = (
        fmean(one.across for one in written if (one.layout == "longdoc") is own) for own in (True, False)
    )
    how = (
        f"Texts of {len(next(iter(_TEXTS.values())))} sections of {_WORDS} words by {Path(_MODEL).name}, embedded, by "
        "the same plans. Repeated: runs of four words of a section that stood in one before; again: sentences that "
        "nearly did. The published layout reads the whole text so far, asks not to repeat it, and takes what comes. "
        f"Target: less repeated than the published layout, in the mean (here {ours:.1%} and {published:.1%})."
    )
    columns = ("text", "layout", "sections", "words", "repeated across sections", "again")
    return BenchmarkTable("Repetition across sections", how, columns, [one.row() for one in written], ours < published)


async def _measured() -> list[_Written]:
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    settings = load_settings({"engine": "embedded", "model": _MODEL, "database": str(_RECORD)})
    async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
        tried = [layout(workspace, topic) for topic in _TEXTS for layout in (_ours, _published)]
        return list(await asyncio.gather(*tried))


def _plan(topic: str) -> DraftPlan:
    lines = enumerate(_TEXTS[topic], 1)
    return DraftPlan(
        f"A history of {topic}",
        tuple(PlannedSection(n, point.capitalize(), f"What became of {topic}: {point}", _WORDS) for n, point in lines),
    )


def _instruction(topic: str) -> str:
    return f"Write a history of {topic} of {_WORDS * len(_TEXTS[topic]):,} words."


async def _ours(workspace: Workspace, topic: str) -> _Written:
    drafts = workspace.records.drafts
    draft = await new_draft(workspace, topic, _instruction(topic), DraftOptions())
    if not draft.plan.sections:
        draft = await drafts.revise(draft, _plan(topic), "plan")
    result = await write_draft(workspace, draft, emit=_ignore)
    texts = [result.texts[one.id].text for one in result.draft.plan.sections if one.id in result.texts]
    return _Written("longdoc", topic, texts)


async def _published(workspace: Workspace, topic: str) -> _Written:
    request = RunRequest("benchmark", topic, (), {"layout": "published"}, workspace.engine.info.identity)
    run = await workspace.records.runs.start(request)
    engine = workspace.recorded_engine(run.id, fresh_since=None)
    lines = [
        f"Paragraph {number} - Main Point: {one.main_point} - Word Count: {one.words} words"
        for number, one in enumerate(_plan(topic).sections, 1)
    ]
    writer = PublishedWriter(engine, emit=_ignore)
    text = await writer.by_lines(Quoted(_instruction(topic), {"topic": topic}), lines)
    return _Written("AgentWrite as published", topic, text.sections)


def _ignore(*told: object) -> None:
    del told
