"""Recall of gold places on little sets: what it tells of stories, that it can fail, and that it needs embeddings."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.gold_recall import (
    BY_RANKS,
    BY_SCORES,
    StrategyFigures,
    beats_chance,
    beats_ranks,
    figures_of,
    try_texts,
)
from longdoc.app.bootstrap import Workspace, open_records
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import load_settings
from longdoc.engines.embedder import Embedder, EmbedderInfo
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.scripted import ScriptedEngine
from longdoc.evaluation.gold import GoldCase, GoldText
from longdoc.evaluation.recall import RankedSpan, Ranking, recall_of
from longdoc.evaluation.selection_trial import SelectionOutcome
from longdoc.evaluation.squality import STORY, Story, StoryQuestion, join_stories

_WORDS = ("anchor", "bellows", "chisel", "dynamo", "engraver", "furnace", "gasket", "hinge")
_STORY = (0, 1000)


class NamedEmbedder(HashedEmbedder):
    """Hashed words that pass for a model."""

    @property
    def info(self) -> EmbedderInfo:
        return replace(super().info, engine="test", identity="test")


def stories() -> GoldText:
    """Stories of several windows each, which speak of one thing all along."""
    return join_stories(
        [
            Story(
                word,
                f"The {word}",
                tuple(f"Part {number}. " + f"Here the {word} was seen and lost. " * 18 for number in range(20)),
                tuple(StoryQuestion(f"Who saw the {word} in part {number}?", ("Ada",)) for number in range(3)),
            )
            for word in _WORDS
        ]
    )


def tried(folder: Path, texts: Sequence[GoldText], embedder: Embedder) -> list[SelectionOutcome]:
    async def chosen() -> EmbedderChoice:
        return EmbedderChoice(embedder, "test")

    async def main() -> list[SelectionOutcome]:
        async with open_records(load_settings({"database": str(folder / "record.db")})) as records:
            workspace = Workspace(records, ScriptedEngine(lambda _: ""), LateEmbedder(chosen, notify=lambda _: None))
            return await try_texts(workspace, texts)

    return asyncio.run(main())


def outcome(strategy: str, question: str, *places: int, kind: str = STORY) -> SelectionOutcome:
    """What a ranking of stretches of a tenth of a story is worth."""
    case = GoldCase(question, kind, f"{question}?", ("x",), (_STORY if kind == STORY else (10, 20),))
    spans = [RankedSpan(place, place + 100, 25) for place in places]
    recall = recall_of(Ranking(spans), case.spans, ks=(1, 4, 8), budgets=(2048, 4096))
    return SelectionOutcome(strategy, case, recall, 0.0)


def test_of_stories_the_share_of_the_best_segments_in_the_right_one_is_told(tmp_path: Path) -> None:
    found = {one.strategy: one for one in figures_of(tried(tmp_path, [stories()], NamedEmbedder()))}
    retrieve, random = found["retrieve"], found["random"]
    assert retrieve.questions == random.questions == 3 * len(_WORDS)
    assert min(retrieve.best[1].mean, retrieve.best[8].mean) > 0.8, "all but windows across the border of two stories"
    assert random.best[8].mean == pytest.approx(1 / len(_WORDS), abs=0.1)
    assert random.best[8].low < random.best[8].mean < random.best[8].high
    assert retrieve.mrr is None
    assert found[BY_RANKS].questions == found[BY_SCORES].questions == retrieve.questions
    assert min(found[BY_RANKS].best[1].mean, found[BY_SCORES].best[1].mean) > 0.8
    assert beats_chance(found.values())


def test_it_fails_where_ranks_alone_find_more() -> None:
    def figures(lost: int, *, questions: int = 20) -> list[StrategyFigures]:
        asked = [f"{number}" for number in range(questions)]
        scores = [outcome(BY_SCORES, name, 0, 5000 if int(name) < lost else 100) for name in asked]
        return figures_of([*scores, *(outcome(BY_RANKS, name, 0, 100) for name in asked)])

    assert not beats_ranks(figures(10))
    assert beats_ranks(figures(1)), "which chance may do"
    assert not beats_ranks(figures(1, questions=1))


def test_seeds_of_chance_are_one_question() -> None:
    outcomes = [outcome("random", "a", 0), outcome("random", "a", 5000), outcome("random", "b", 5000)]
    (figures,) = figures_of(outcomes)
    assert (figures.questions, figures.best[1].mean) == (2, 0.25)


def test_it_fails_where_retrieval_is_no_better_than_chance() -> None:
    def figures(retrieved: int, *, questions: int) -> list[StrategyFigures]:
        asked = [f"{number}" for number in range(questions)]
        chance = [outcome("random", name, 0 if int(name) % 2 else 5000) for name in asked]
        found = [outcome("retrieve", name, 0 if int(name) < retrieved else 5000) for name in asked]
        return figures_of([*chance, *found])

    assert beats_chance(figures(40, questions=40))
    assert not beats_chance(figures(20, questions=40))
    assert not beats_chance(figures(24, questions=40)), "within the intervals"


def test_of_turns_recall_is_told_as_it_was() -> None:
    (figures,) = figures_of([outcome("retrieve", "a", 500, 0, kind="specific")])
    assert (figures.best[1].mean, figures.best[4].mean, figures.within[2048].mean, figures.mrr) == (0.0, 1.0, 1.0, 0.5)


def test_without_search_by_meaning_it_stops_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="lda models pull minilm-l6"):
        tried(tmp_path, [stories()], HashedEmbedder())
