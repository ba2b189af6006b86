"""One long draft on the small real model, embedded, section after section: what it took, and whether prompts stay flat.

It takes a quarter of an hour and more on two cores, so it runs by name only; stopped, it goes on where it was. What it
measured is kept in `writing_session.json`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from benchmarks.table import BenchmarkTable
from benchmarks.writing_cost import WritingCost, text_of
from longdoc.app.bootstrap import open_workspace
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import write_draft
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.errors import ConfigError
from longdoc.evaluation.writing_repeats import repeated_four_grams_across
from longdoc.evaluation.writing_scores import length_score

_WORDS = int(os.environ.get("LDA_BENCH_WORDS", "20000"))
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
_RECORD = Path(os.environ.get("LDA_BENCH_RECORD", ".cache/benchmarks/writing_session.db"))
_MEASURED = Path(__file__).with_suffix(".json")
_INSTRUCTION = (
    "Write a history of the town of Harrow Bay and its lighthouse, from its founding to the present day, "
    "in {words:,} words."
)
_FLAT, _LEAST_SCORE = 1.1, 95.0
_TO_BE_MADE = 20_000
_COLUMNS = (
    "words asked",
    "written",
    "S_l",
    "sections",
    "within a tenth",
    "calls",
    "prompt tokens",
    "completion tokens",
    "longest prompt",
    "prompts, last to second fifth",
    "repeated across sections",
)


class _Session(BaseModel):
    """What a draft took."""

    asked: int
    written: int
    sections: int
    in_tolerance: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    longest_prompt: int
    growth: float
    repeated: float
    model: str
    measured: str

    @property
    def score(self) -> float:
        return length_score(self.asked, self.written)


def run(*, measured: Path = _MEASURED) -> BenchmarkTable:
    """Write a draft of 20,000 words (`LDA_BENCH_WORDS`) and show it."""
    found = asyncio.run(_written())
    measured.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    how = (
        "A draft on the small real model, embedded, section after section with everything that a section is shown. Its "
        "texts say little; that it ends, holds its length, and keeps its prompts the same is what is shown. Within a "
        "tenth: sections as long as they were to be. Last to second fifth: prompt tokens of the first call of a "
        f"section, medians. Targets: S_l {_LEAST_SCORE:g}, at most {_FLAT:g}, and {_TO_BE_MADE:,} words. "
        f"{found.model}, {found.measured}"
    )
    cells = [
        f"{found.asked:,}",
        f"{found.written:,}",
        f"{found.score:.1f}",
        str(found.sections),
        str(found.in_tolerance),
        f"{found.calls:,}",
        f"{found.prompt_tokens:,}",
        f"{found.completion_tokens:,}",
        f"{found.longest_prompt:,}",
        f"{found.growth:.2f}",
        f"{found.repeated:.1%}",
    ]
    passed = found.score >= _LEAST_SCORE and found.growth <= _FLAT and found.asked >= _TO_BE_MADE
    return BenchmarkTable("A long writing session", how, _COLUMNS, [cells], passed)


async def _written() -> _Session:
    given = {"engine": "embedded", "model": _MODEL, "database": str(_RECORD)}
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    cost = WritingCost()
    async with open_workspace(load_settings(given), budget=Budget(), notify=_tell, progress=_ignore) as workspace:
        name = f"session-{_WORDS}"
        draft = await workspace.records.drafts.find(name)
        if draft is None:
            draft = await new_draft(workspace, name, _INSTRUCTION.format(words=_WORDS), DraftOptions())
        result = await write_draft(workspace, draft, emit=cost.hear)
        taken = await workspace.records.ledger.taken_by(result.run_id)
        plan = result.draft.plan
    texts = [result.texts[one.id] for one in plan.sections if one.id in result.texts]
    if len(texts) < len(plan.sections):
        raise ConfigError(f"{len(plan.sections) - len(texts)} sections are not written")
    firsts = _first_prompts(cost)
    fifth = max(1, len(firsts) // 5)
    return _Session(
        asked=_WORDS,
        written=cost.wrote(text_of(result)).words,
        sections=len(texts),
        in_tolerance=sum(abs(one.words - one.asked) <= 0.1 * one.asked for one in texts),
        calls=taken.calls,
        prompt_tokens=taken.usage.prompt_tokens,
        completion_tokens=taken.usage.completion_tokens,
        longest_prompt=max(tokens for _, tokens in cost.prompts),
        growth=statistics.median(firsts[-fifth:]) / statistics.median(firsts[fifth : 2 * fifth]),
        repeated=repeated_four_grams_across([one.text for one in texts]) or 0.0,
        model=workspace.engine.info.identity,
        measured=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _first_prompts(cost: WritingCost) -> list[int]:
    """Prompt tokens of the first call for each section, in order."""
    firsts: dict[str, int] = {}
    for purpose, tokens in cost.prompts:
        if purpose.startswith("section "):
            firsts.setdefault(purpose, tokens)
    return list(firsts.values())


def _tell(text: str) -> None:
    print(text, flush=True)


def _ignore(*told: object) -> None:
    del told
