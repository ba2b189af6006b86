"""Questions over vLLM in process: all modes of scoring, and what a second question over the same text reads again."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from longdoc.agents.events import CallFinished, Event, Indexed
from longdoc.agents.relevance import ScoringMode
from longdoc.app.ask import AskResult, ask
from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.finding import AskOptions
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.shelf import shelf_of
from longdoc.config import Settings, VllmSettings
from longdoc.documents.document import Document
from longdoc.engines.budget import Budget
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import CompletionRequest, Engine, Message, Usage
from longdoc.engines.vllm import VllmEngine
from tests.agents.asking import story

WINDOW = 4096
BLOCK_TOKENS = 32  # the least on a CPU; 16 on a GPU
QUESTIONS = ("Who mended the roof on day 17?", "What was sold on day 31?")
Work: TypeAlias = Callable[[Engine], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def engine(weights: Path) -> Iterator[Callable[[Work], None]]:
    with asyncio.Runner() as runner:
        settings = VllmSettings(enforce_eager=True, arguments={"block_size": BLOCK_TOKENS})
        opened = runner.run(VllmEngine.open(str(weights), settings=settings, context_window=WINDOW))
        yield lambda work: runner.run(work(opened))
        runner.run(opened.aclose())


def book(days: int) -> Document:
    lines = [
        f"On day {n} Ada mended roof number {n}, and Emil sold {n} jars of honey in the town." for n in range(days)
    ]
    return story({"Days": "\n".join(lines)})


async def _hashed() -> EmbedderChoice:
    return EmbedderChoice(HashedEmbedder(), "hashed")


async def asked(
    engine: Engine, path: Path, document: Document, question: str, options: AskOptions
) -> tuple[AskResult, list[Event]]:
    settings = Settings(database=str(path / "record.db"))
    events: list[Event] = []
    async with open_records(settings) as records:
        workspace = Workspace(records, wrap_engine(engine, settings, Budget()), LateEmbedder(_hashed, notify=print))
        shelf = await shelf_of(records, [document])
        return await ask(workspace, shelf, question, options, emit=events.append), events


def text_read(events: list[Event], strategy: str) -> Usage:
    """What was read of the text itself: by the one call with all of it, or by those that score its segments. (A model
    that keeps to no structure is asked once more in other words, which no engine can know beforehand.)"""
    calls = [event for event in events if isinstance(event, CallFinished)]
    wanted = [call for call in calls if call.purpose == ("answer" if strategy == "full" else "relevance of a segment")]
    return sum((call.completion.usage for call in wanted), Usage())


@pytest.mark.parametrize("strategy", ["full", "xl3m"])
def test_a_second_question_reads_almost_nothing_again_and_builds_no_index(
    engine: Callable[[Work], None], tmp_path: Path, strategy: str
) -> None:
    document = book(90 if strategy == "full" else 150)

    async def work(opened: Engine) -> None:
        options = AskOptions(strategy=strategy, context_tokens=600, answer_tokens=64)
        _, built = await asked(opened, tmp_path, document, QUESTIONS[0], options)
        _, kept = await asked(opened, tmp_path, document, QUESTIONS[1], options)
        first, second = text_read(built, strategy), text_read(kept, strategy)
        share = (second.prompt_tokens - second.cached_tokens) / first.prompt_tokens
        print(f"{strategy}: {first} then {second}: {share:.1%} read again")
        assert share <= 0.1
        assert not any(isinstance(event, Indexed) for event in kept)
        assert any(isinstance(event, Indexed) for event in built) is (strategy == "xl3m")

    engine(work)


def test_a_text_is_scored_alike_whatever_of_it_the_prefix_cache_knows(engine: Callable[[Work], None]) -> None:
    """Prompts of every length modulo a block, so that blocks end before, at and after the beginning of the text."""

    async def work(opened: Engine) -> None:
        for words in range(BLOCK_TOKENS):
            content = f"{words} jars are in the house." + " Honey." * words
            request = CompletionRequest((Message("user", content),), 1, continuation="Who sold the last jar of honey?")
            anew, again = await opened.complete(request), await opened.complete(request)
            told, known = [token.logprob for token in anew.logprobs], [token.logprob for token in again.logprobs]
            assert known == pytest.approx(told, abs=0.15)
            assert again.usage.prompt_tokens == anew.usage.prompt_tokens
            assert again.usage.prompt_tokens - again.usage.cached_tokens <= len(told) * BLOCK_TOKENS

    engine(work)


@pytest.mark.parametrize("mode", list(ScoringMode))
def test_every_mode_of_scoring_is_computed(engine: Callable[[Work], None], tmp_path: Path, mode: ScoringMode) -> None:
    async def work(opened: Engine) -> None:
        options = AskOptions(strategy="xl3m", scoring=mode, context_tokens=600, answer_tokens=64)
        result, _ = await asked(opened, tmp_path, book(60), QUESTIONS[0], options)
        scored = [candidate.relevance for candidate in result.selection.candidates]
        assert scored or mode is ScoringMode.CONTRAST
        assert all(relevance is not None and relevance.figures for relevance in scored)
        values = [relevance.value for relevance in scored if relevance is not None and relevance.value is not None]
        assert values == sorted(values, reverse=True)

    engine(work)
