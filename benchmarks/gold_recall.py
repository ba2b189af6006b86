"""What retrieval finds in public sets with known places: turns of meetings, and the right one of many stories."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.table import BenchmarkTable
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.indexing import open_index
from longdoc.app.question_strategies import SelectionStrategy, TextSelectors, Variant
from longdoc.config import load_settings
from longdoc.documents.segments import Segment
from longdoc.engines.budget import Budget
from longdoc.evaluation.booookscore import bootstrap_interval
from longdoc.evaluation.gold import GoldText
from longdoc.evaluation.qmsum import read_qmsum
from longdoc.evaluation.recall import RankedSpan, Ranking, Recall
from longdoc.evaluation.selection_trial import SelectionOutcome, try_selection
from longdoc.evaluation.squality import STORY, join_stories, read_squality
from longdoc.retrieval.collection_index import DENSE, LEXICAL, CollectionIndex, raised
from longdoc.retrieval.hits import fuse

_QA = Path("../shared/data/qa")
_STRATEGIES = (
    SelectionStrategy.LEXICAL,
    SelectionStrategy.DENSE,
    SelectionStrategy.RETRIEVE,
    SelectionStrategy.RANDOM,
    SelectionStrategy.HEAD,
)
BY_SCORES, BY_RANKS = "by scores", "by ranks"
"""Two ways to fuse words and meaning: as `retrieve` does, and the usual one. `retrieve` knows exact places besides."""
_RANK_CONSTANT = 60
_DEPTH = 100
_BUDGETS = (2048, 4096)
_KS = (1, 4, 8)
_STORIES = 25
_NO_MODEL = "this benchmark needs a model for embeddings; fetch it with: lda models pull minilm-l6"
_TITLE = "Recall of gold places"
_COLUMNS = ("set", "strategy", "questions", *(f"within {b:,}" for b in _BUDGETS), *(f"best {k}" for k in _KS), "MRR")


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over questions with its 95% interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.1%} ({self.low:.0%}-{self.high:.0%})"


@dataclass(frozen=True, slots=True)
class StrategyFigures:
    """What a strategy finds: shares within budgets and of the k best segments; `mrr` is None where it says nothing."""

    strategy: str
    questions: int
    within: Mapping[int, Figure]
    best: Mapping[int, Figure]
    mrr: float | None
    of_each: Mapping[int, Sequence[float]]
    """By budget, the share of each question."""

    def is_above(self, other: StrategyFigures) -> bool:
        """Whether the intervals lie above another's, within the largest budget and among the most segments alike."""
        budget, k = max(self.within), max(self.best)
        return self.within[budget].low > other.within[budget].high and self.best[k].low > other.best[k].high


def run() -> BenchmarkTable:
    """Look for what each question rests on."""
    how = (
        "Questions of QMSum (the specific ones, of one meeting each) and of SQuALITY "
        f"({_STORIES} stories of its development set joined into one text), by MiniLM and BM25 over windows of 512 "
        "tokens; no model reads anything. QMSum: the share of the gold turns of a question that lie whole in what is "
        "selected within a budget of tokens, and in the best segments; MRR is of the first segment with one of them. "
        "SQuALITY, where the gold place is a whole story: the share of what is selected that lies in the right story, "
        "and the share of the best segments that do for the most part (of the best one: whether it does). In brackets "
        "95% intervals (bootstrap over questions; chance is the mean of five seeds). Target: retrieve is above chance "
        f"on each set by more than the intervals, within {max(_BUDGETS):,} tokens and among the best {max(_KS)}; and "
        "words and meaning fused by scores, as it does beside looking for exact places, find no less within each "
        "budget than fused by ranks (sums of 1 / (60 + rank)): the 95% interval of the difference (bootstrap over "
        "questions) reaches to 0 or lies above. Meetings, stories and Moby-Dick were looked at when the size of what "
        "is embedded and the way to fuse were chosen."
    )
    if not _QA.exists():
        skipped = ["all", "skipped: the folder of shared data is absent", *[""] * (len(_COLUMNS) - 2)]
        return BenchmarkTable(_TITLE, how, _COLUMNS, [skipped], passed=True)
    meetings = [meeting.gold for meeting in read_qmsum(next((_QA / "qmsum").glob("*.jsonl")))]
    stories = join_stories(read_squality(_dev())[:_STORIES])
    found = asyncio.run(_found({"QMSum": meetings, "SQuALITY": [stories]}))
    rows = [_row(name, figures) for name, of_set in found.items() for figures in of_set]
    passed = all(beats_chance(of_set) and beats_ranks(of_set) for of_set in found.values())
    return BenchmarkTable(_TITLE, how, _COLUMNS, rows, passed)


async def try_texts(workspace: Workspace, texts: Sequence[GoldText]) -> list[SelectionOutcome]:
    """Try each strategy on each text. Ends the program where there is no search by meaning."""
    found: list[SelectionOutcome] = []
    for text in texts:
        index = await open_index(workspace, [text.document], collection=None, emit=_ignore, lost=raised)
        try:
            if DENSE not in index.rankings:
                raise SystemExit(_NO_MODEL)
            selectors = TextSelectors(index, text.document, workspace.engine, candidates=64, emit=_ignore)
            chosen = await selectors.of([Variant(strategy) for strategy in _STRATEGIES])
            found += await try_selection(
                text.cases,
                {**chosen, BY_SCORES: partial(_by_scores, index), BY_RANKS: partial(_by_ranks, index)},
                budgets=_BUDGETS,
                ks=_KS,
            )
        finally:
            index.close()
    return found


def figures_of(outcomes: Sequence[SelectionOutcome]) -> list[StrategyFigures]:
    """The figures of each strategy; of whole stories, which no segment holds, the share of the selection in them."""
    stories = all(outcome.case.kind == STORY for outcome in outcomes)
    found: dict[str, dict[str, list[Recall]]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.strategy, {}).setdefault(outcome.case.id, []).append(outcome.recall)
    return [_figures(name, list(of_cases.values()), stories=stories) for name, of_cases in found.items()]


def beats_chance(figures: Iterable[StrategyFigures]) -> bool:
    """Whether retrieval is above chance by more than the intervals."""
    by_name = {one.strategy: one for one in figures}
    return by_name[SelectionStrategy.RETRIEVE].is_above(by_name[SelectionStrategy.RANDOM])


def beats_ranks(figures: Iterable[StrategyFigures]) -> bool:
    """Whether scores find no less within each budget than sums of reciprocal ranks, but for what chance may do."""
    by_name = {one.strategy: one.of_each for one in figures}
    ours, theirs = by_name[BY_SCORES], by_name[BY_RANKS]
    return all(_mean([a - b for a, b in zip(ours[size], theirs[size], strict=True)]).high >= 0 for size in _BUDGETS)


async def _by_scores(index: CollectionIndex, question: str) -> Ranking:
    """Words and meaning as `retrieve` fuses them, without exact places."""
    rankings = {LEXICAL: await index.lexical(question, k=_DEPTH), DENSE: await index.dense(question, k=_DEPTH)}
    return _ranking([hit.segment for hit in fuse(rankings, depth=_DEPTH)])


async def _by_ranks(index: CollectionIndex, question: str) -> Ranking:
    """Words and meaning fused by `sum 1 / (60 + rank)` (Cormack, Clarke and Buettcher, SIGIR 2009)."""
    rankings = [await search(question, k=_DEPTH) for search in (index.lexical, index.dense)]
    hits = {hit.place: hit for ranking in rankings for hit in ranking}
    sums = dict.fromkeys(hits, 0.0)
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            sums[hit.place] += 1 / (_RANK_CONSTANT + rank)
    best = sorted(hits, key=lambda place: (-sums[place], place))
    return _ranking([hits[place].segment for place in best])


def _ranking(segments: Iterable[Segment]) -> Ranking:
    return Ranking([RankedSpan(one.start, one.end, one.tokens) for one in segments])


def _figures(strategy: str, cases: Sequence[Sequence[Recall]], *, stories: bool) -> StrategyFigures:
    """`cases` holds what was found for each question, several times where a strategy has several seeds."""
    held = [[one.inside if stories else one.within for one in case] for case in cases]
    among = [[one.precision if stories else one.best for one in case] for case in cases]
    of_each = {budget: _values(held, budget) for budget in _BUDGETS}
    return StrategyFigures(
        strategy,
        len(cases),
        {budget: _mean(values) for budget, values in of_each.items()},
        {k: _mean(_values(among, k)) for k in _KS},
        None if stories else fmean(one.reciprocal_rank for case in cases for one in case),
        of_each,
    )


def _values(cases: Sequence[Sequence[Mapping[int, float]]], size: int) -> list[float]:
    """Of each question the mean over seeds."""
    return [fmean(shares[size] for shares in case) for case in cases]


def _mean(values: Sequence[float]) -> Figure:
    """Over questions; the interval is the value itself where there is but one."""
    mean = fmean(values)
    return Figure(mean, *(bootstrap_interval(values, seed=0) or (mean, mean)))


def _row(name: str, figures: StrategyFigures) -> list[str]:
    shares = map(str, (*figures.within.values(), *figures.best.values()))
    mrr = "-" if figures.mrr is None else f"{figures.mrr:.3f}"
    return [name, figures.strategy, str(figures.questions), *shares, mrr]


def _dev() -> Path:
    return next(path for path in sorted((_QA / "squality").glob("*.jsonl*")) if "dev" in path.name)


async def _found(sets: Mapping[str, Sequence[GoldText]]) -> dict[str, list[StrategyFigures]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {"engine": "scripted", "database": str(Path(folder) / "record.db"), "embedding_model": "minilm-l6"}
        )
        async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
            return {name: figures_of(await try_texts(workspace, texts)) for name, texts in sets.items()}


def _ignore(*heard: object) -> None:
    del heard
