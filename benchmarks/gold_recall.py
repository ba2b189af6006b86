"""What retrieval finds in public sets with known places: turns of meetings, and the right one of many stories."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import BenchmarkTable
from longdoc.app.bootstrap import open_workspace
from longdoc.app.indexing import open_index
from longdoc.app.question_strategies import SelectionStrategy, TextSelectors, Variant
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.evaluation.gold import GoldText
from longdoc.evaluation.qmsum import read_qmsum
from longdoc.evaluation.question_report import selection_figures
from longdoc.evaluation.selection_trial import SelectionOutcome, try_selection
from longdoc.evaluation.squality import join_stories, read_squality

_QA = Path("../shared/data/qa")
_STRATEGIES = (
    SelectionStrategy.LEXICAL,
    SelectionStrategy.DENSE,
    SelectionStrategy.RETRIEVE,
    SelectionStrategy.RANDOM,
    SelectionStrategy.HEAD,
)
_BUDGETS = (2048, 4096)
_KS = (1, 4, 8)
_STORIES = 25


def run() -> BenchmarkTable:
    """Look for what each question rests on."""
    columns = ("set", "strategy", "questions", *(f"within {b:,}" for b in _BUDGETS), *(f"best {k}" for k in _KS), "MRR")
    how = (
        "Questions of QMSum (the specific ones, of one meeting each: the share of its gold turns that is found) and of "
        f"SQuALITY ({_STORIES} stories of its development set joined into one text: the share of what is selected that "
        "lies in the right story, and whether the best segment does), by MiniLM and BM25 over windows of 512 tokens, "
        "within budgets of tokens and among the best segments. No model reads anything. There is no target: these "
        "questions ask for much at once, and the table is what strategies are compared by."
    )
    if not _QA.exists():
        rows = [["all", "skipped: the folder of shared data is absent", *[""] * (len(columns) - 2)]]
        return BenchmarkTable("Recall of gold places", how, columns, rows, passed=True)
    meetings = [meeting.gold for meeting in read_qmsum(next((_QA / "qmsum").glob("*.jsonl")))]
    stories = join_stories(read_squality(_dev())[:_STORIES])
    rows = asyncio.run(_rows([("QMSum", meetings), ("SQuALITY", [stories])]))
    return BenchmarkTable("Recall of gold places", how, columns, rows, passed=True)


def _dev() -> Path:
    return next(path for path in sorted((_QA / "squality").glob("*.jsonl*")) if "dev" in path.name)


async def _rows(sets: Sequence[tuple[str, Sequence[GoldText]]]) -> list[list[str]]:
    rows: list[list[str]] = []
    for name, texts in sets:
        outcomes = await _outcomes(texts)
        for figures in selection_figures(outcomes):
            inside = name == "SQuALITY"
            shares = figures.inside if inside else figures.within
            rows.append(
                [
                    name,
                    figures.group.strategy,
                    str(len({outcome.case.id for outcome in outcomes})),
                    *(f"{shares[budget]:.1%}" for budget in _BUDGETS),
                    *(f"{figures.best[k]:.1%}" for k in _KS),
                    f"{figures.mrr:.3f}",
                ]
            )
    return rows


async def _outcomes(texts: Sequence[GoldText]) -> list[SelectionOutcome]:
    found: list[SelectionOutcome] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {"engine": "scripted", "database": str(Path(folder) / "record.db"), "embedding_model": "minilm-l6"}
        )
        async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
            for text in texts:
                index = await open_index(workspace, [text.document], collection=None, emit=_ignore)
                selectors = TextSelectors(index, text.document, workspace.engine, candidates=64, emit=_ignore)
                chosen = await selectors.of([Variant(strategy) for strategy in _STRATEGIES])
                found += await try_selection(text.cases, chosen, budgets=_BUDGETS, ks=_KS)
                index.close()
    return found


def _ignore(*heard: object) -> None:
    del heard
