"""What long drafts cost on a simulated GPU, beside the published layout, whose prompts hold the whole text so far."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from benchmarks.simulated_gpu.process import server_process
from benchmarks.table import BenchmarkTable
from longdoc.agents.draft_budget import share_out, usual_sections
from longdoc.agents.events import CallFinished, CallStarted, Event
from longdoc.agents.published_writing import PublishedWriter
from longdoc.agents.sentences import count_words
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.evaluation.writing_plots import CostCurve, draw_costs
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.draft_types import DraftPlan, PlannedSection

_WORDS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_MEASURED, _LONGEST = 20_000, 100_000
_MOST_RATIO = 3.0
_PARALLEL_SECTIONS, _LEAST_SPEED_UP = 20, 5.0
_FLAT = 1.1
_WINDOW = 131_072
_TIME_SCALE, _FAST = 16.0, 128.0
_TOKENS_PER_WORD = 2.0
_INSTRUCTION = "Write a history of the salt trade, from the first pans by the sea to the railways, {words} words."
_CHARACTERS_PER_TOKEN = 4
_PICTURE = Path(__file__).parent.parent / "docs" / "writing-cost.png"


@dataclass(slots=True)
class WritingCost:
    """What a text took: tokens by call, in order, and what the calls were for."""

    words: int = 0
    text_tokens: int = 0
    prompts: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    completion_tokens: int = 0
    seconds: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def hear(self, event: Event) -> None:
        """Count a call."""
        if isinstance(event, CallStarted) and not self.prompts:
            self.started = time.perf_counter()
        if isinstance(event, CallFinished):
            self.prompts.append((event.purpose, event.completion.usage.prompt_tokens))
            self.completion_tokens += event.completion.usage.completion_tokens
            self.seconds = time.perf_counter() - self.started

    def wrote(self, text: str) -> WritingCost:
        """It with the text that came of it."""
        self.words, self.text_tokens = count_words(text), len(text) // _CHARACTERS_PER_TOKEN
        return self

    @property
    def prompt_tokens(self) -> int:
        """Of all calls."""
        return sum(tokens for _, tokens in self.prompts)

    @property
    def ratio(self) -> float:
        """Prompt tokens to those of the text itself: what is written beside it does not count."""
        return self.prompt_tokens / self.text_tokens

    def growth(self) -> float:
        """Prompt tokens of a section, in the last fifth of the text to the second fifth (medians)."""
        sections = [
            sum(tokens for _, tokens in group)
            for _, group in groupby(self.prompts, key=lambda one: one[0].removeprefix("notes on "))
        ]
        fifth = max(1, len(sections) // 5)
        return statistics.median(sections[-fifth:]) / statistics.median(sections[fifth : 2 * fifth])


def run() -> BenchmarkTable:
    """Write drafts of all lengths in both layouts, one at once, and the longest."""
    ours, published, at_once, longest = asyncio.run(_measured())
    speed_up = ours[_PARALLEL_SECTIONS].seconds / at_once.seconds
    by_words = {asked: cost for asked, cost in ours.items() if asked >= _WORDS[0]}
    curves = [
        CostCurve("longdoc", [(cost.words, cost.prompt_tokens) for cost in by_words.values()]),
        CostCurve("AgentWrite as published", [(cost.words, cost.prompt_tokens) for cost in published.values()]),
    ]
    draw_costs(curves, _PICTURE, title="Prompt tokens of a text, by its length")
    rows = [
        [f"{asked:,}", *_cells(by_words[asked]), *_cells(published[asked])[:3]]
        for asked in by_words
        if asked in published
    ]
    rows.append([f"{_LONGEST:,}", *_cells(longest), "-", "-", "-"])
    passed = (
        by_words[_MEASURED].ratio <= _MOST_RATIO
        and speed_up >= _LEAST_SPEED_UP
        and longest.growth() <= _FLAT
        and abs(longest.words - _LONGEST) <= 0.05 * _LONGEST
    )
    how = (
        "Drafts over HTTP on a simulated 8-billion-parameter model on one H100, whose answers have 0.6 to 1.0 of the "
        "tokens allowed; the same plans for both layouts. Ratio: prompt tokens of all calls, those on notes too, to "
        f"the tokens of the text. Targets: at most {_MOST_RATIO:g} at {_MEASURED:,} words; prompts of a section, in "
        f"the last fifth of {_LONGEST:,} words to the second fifth, at most {_FLAT:g} (here {longest.growth():.2f}); "
        f"{_PARALLEL_SECTIONS} sections at once at least {_LEAST_SPEED_UP:g} times as fast as one after the other "
        f"(here {speed_up:.1f} times).\n\n![Prompt tokens by length](writing-cost.png)"
    )
    columns = (
        "words asked",
        "written",
        "prompt tokens",
        "ratio",
        "calls",
        "published: written",
        "prompt tokens",
        "ratio",
    )
    return BenchmarkTable("What a long draft costs", how, columns, rows, passed)


def _cells(cost: WritingCost) -> list[str]:
    return [f"{cost.words:,}", f"{cost.prompt_tokens:,}", f"{cost.ratio:.2f}", str(len(cost.prompts))]


async def _measured() -> tuple[dict[int, WritingCost], dict[int, WritingCost], WritingCost, WritingCost]:
    async with _opened(_FAST) as workspace:
        ours = {words: await _ours(workspace, words) for words in _WORDS}
        published = {words: await _published(workspace, words) for words in _WORDS}
        longest = await _ours(workspace, _LONGEST)
    async with _opened(_TIME_SCALE) as workspace:
        words = _PARALLEL_SECTIONS * 800
        ours[_PARALLEL_SECTIONS] = await _ours(workspace, words, sections=_PARALLEL_SECTIONS, name="one by one")
        at_once = await _ours(workspace, words, sections=_PARALLEL_SECTIONS, name="at once", parallel=True)
    return ours, published, at_once, longest


@asynccontextmanager
async def _opened(time_scale: float) -> AsyncGenerator[Workspace, None]:
    options = ("--time-scale", str(time_scale), "--window", str(_WINDOW))
    with tempfile.TemporaryDirectory() as folder, server_process(*options) as base_url:
        record = str(Path(folder) / "record.db")
        given = {"engine": "openai", "base_url": base_url, "database": record, "embedding_model": "hashed"}
        async with open_workspace(load_settings(given), budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
            yield workspace


async def _ours(
    workspace: Workspace, words: int, *, sections: int | None = None, name: str = "", parallel: bool = False
) -> WritingCost:
    cost = WritingCost()
    draft = await new_draft(
        workspace, f"{name} {words}", _INSTRUCTION.format(words=words), DraftOptions(parallel=parallel)
    )
    planned = await workspace.records.drafts.revise(draft, _plan(words, sections), "plan")
    result = await write_draft(workspace, planned, emit=cost.hear)
    return cost.wrote(text_of(result))


async def _published(workspace: Workspace, words: int) -> WritingCost:
    cost = WritingCost()
    plan = _plan(words, None)
    most = round(max(one.words for one in plan.sections) * _TOKENS_PER_WORD)
    writer = PublishedWriter(workspace.engine, emit=cost.hear, most_tokens=most)
    lines = [
        f"Paragraph {number} - Main Point: {one.main_point} - Word Count: {one.words} words"
        for number, one in enumerate(plan.sections, 1)
    ]
    instruction = _INSTRUCTION.format(words=words)
    return cost.wrote((await writer.by_lines(Quoted(instruction, {"words": words}), lines)).text)


def _plan(words: int, sections: int | None) -> DraftPlan:
    count = sections or usual_sections(words)
    return DraftPlan(
        "Salt",
        tuple(
            PlannedSection(number, f"Of salt, part {number}", f"What became of salt in age {number}, and why", budget)
            for number, budget in enumerate(share_out(words, [1.0] * count), 1)
        ),
    )


def text_of(result: DraftResult) -> str:
    """The text of a draft without headings."""
    held: Sequence[str] = [result.texts[one.id].text for one in result.draft.plan.sections if one.id in result.texts]
    return "\n\n".join(held)


def _ignore(*told: object) -> None:
    del told
