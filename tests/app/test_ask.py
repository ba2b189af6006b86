"""Questions from end to end over a real record: every strategy, what is recorded, what is kept, what is refused."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from longdoc.agents.answer_reader import NOT_IN_TEXT
from longdoc.agents.events import Event, Warned
from longdoc.agents.follow_up import Turn
from longdoc.agents.relevance import ScoringMode
from longdoc.app.ask import AskResult, ask, estimate_ask
from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.check import CheckResult, check_claims
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.finding import AskOptions
from longdoc.app.indexing import add_documents, open_index
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.shelf import shelf_of, shelf_of_collection
from longdoc.app.strategies import Strategy
from longdoc.config import Settings
from longdoc.documents.document import Document
from longdoc.engines.budget import Budget
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, TokenLogprob, Usage
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import (
    BudgetExceededError,
    ConfigError,
    ContextTooLongError,
    InvalidOutputError,
    NotFoundError,
    RequestRefusedError,
)
from longdoc.retrieval.collection_index import CollectionIndex
from longdoc.storage.nodes import NodeStatus
from longdoc.storage.runs import RunStatus
from tests.agents.asking import answer, claim, story

NEEDLE = "The keeper of Skerry Head hid the key under the seventh stair."
QUESTION = "Where did the keeper of Skerry Head hide the key?"
HAY = "It rained on the harbour that morning, and the boats stayed in. Nobody spoke of the letter any more. "
WINDOW = 2048


def book(copies: int = 200, *, at: float = 0.7, title: str = "Skerry Head") -> Document:
    """A book with a needle; no two of its paragraphs are the same."""
    paragraphs = [f"Day {day}. {HAY}" for day in range(copies)]
    paragraphs[int(copies * at)] += NEEDLE
    chapters = {f"Chapter {n + 1}": "\n".join(paragraphs[n::4]) for n in range(4)}
    return story(chapters, title)


def reads(request: CompletionRequest) -> str | Completion:
    """Answers from what it is shown, and nothing else."""
    assert request.origin is not None
    prompt = request.messages[-1].content
    if request.logprobs:
        share = 0.9 if NEEDLE in prompt else 0.1
        top = (("yes", math.log(share)), ("no", math.log(1 - share)))
        return Completion("yes", FinishReason.STOP, Usage(9, 1), "scripted", logprobs=(TokenLogprob(*top[0], top=top),))
    if request.origin.name == "ask/standalone":
        return QUESTION
    if request.origin.name == "ask/check":
        supporting = [{"excerpt": 1, "words": NEEDLE}] if NEEDLE in prompt else []
        verdict = "true" if supporting else "not_stated"
        return json.dumps({"supporting": supporting, "contradicting": [], "reason": "Read.", "verdict": verdict})
    if NEEDLE not in prompt:
        return answer(found=False)
    return answer(claim("Under the seventh stair.", (1, NEEDLE), (1, "The key was made of gold.")))


class ScoringEngine(ScriptedEngine):
    """One that says it can score given texts."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, scores=True)


def engine(answers: Callable[[CompletionRequest], str | Completion] = reads, *, logprobs: int = 20) -> ScriptedEngine:
    return ScriptedEngine(answers, context_window=WINDOW, logprobs=logprobs)


def with_workspace(
    path: Path, work: Callable[[Workspace], Awaitable[None]], scripted: ScriptedEngine, *, max_calls: int | None = None
) -> None:
    async def main() -> None:
        settings = Settings(engine="scripted", database=str(path / "record.db"))
        embedder = LateEmbedder(_hashed, notify=lambda _: None)
        async with open_records(settings) as records:
            wrapped = wrap_engine(scripted, settings, Budget(max_calls=max_calls))
            await work(Workspace(records, wrapped, embedder))

    asyncio.run(main())


async def _hashed() -> EmbedderChoice:
    return EmbedderChoice(HashedEmbedder(), "hashed")


def asked(
    path: Path,
    scripted: ScriptedEngine,
    *,
    question: str = QUESTION,
    document: Document | None = None,
    turns: tuple[Turn, ...] = (),
    max_calls: int | None = None,
    events: list[Event] | None = None,
    **options: object,
) -> AskResult:
    found: list[AskResult] = []

    async def work(workspace: Workspace) -> None:
        shelf = await shelf_of(workspace.records, [document or book()])
        chosen = AskOptions(**options)  # pyright: ignore[reportArgumentType]
        emit = (lambda _: None) if events is None else events.append
        found.append(await ask(workspace, shelf, question, chosen, turns=turns, emit=emit))

    with_workspace(path, work, scripted, max_calls=max_calls)
    return found[0]


@pytest.mark.parametrize("strategy", [Strategy.RETRIEVE, Strategy.CASCADE, Strategy.XL3M])
def test_every_strategy_finds_the_needle_and_cites_it(tmp_path: Path, strategy: Strategy) -> None:
    document = book()
    result = asked(tmp_path, engine(), strategy=strategy, document=document)
    (said,) = result.answer.claims
    (citation,) = said.citations
    assert document.text[citation.start : citation.end] == NEEDLE.rstrip(".")
    assert result.answer.dropped == 1
    assert str(citation.place) == "Chapter 1, page 1"
    assert result.choice.strategy is strategy
    assert result.selection.context.tokens <= result.selection.budget


def test_a_text_that_fits_is_read_as_a_whole(tmp_path: Path) -> None:
    result = asked(tmp_path, engine(), document=book(8))
    assert result.choice.strategy is Strategy.FULL
    assert result.answer.found


def test_a_long_text_is_searched_and_the_reason_is_told(tmp_path: Path) -> None:
    result = asked(tmp_path, engine())
    assert result.choice.strategy is Strategy.RETRIEVE
    assert "do not fit one call" in result.choice.reason


def test_the_model_finds_what_wording_does_not(tmp_path: Path) -> None:
    result = asked(tmp_path, engine(), question="Hvor er nøkkelen?", strategy="xl3m")
    assert result.answer.found
    assert result.selection.candidates[0].relevance is not None


def test_nothing_in_the_text_is_an_answer(tmp_path: Path) -> None:
    result = asked(tmp_path, engine(), document=story({"One": "\n".join(f"Day {n}. {HAY}" for n in range(200))}))
    assert (result.answer.found, result.answer.text, result.answer.claims) == (False, NOT_IN_TEXT, ())


def test_the_same_question_again_makes_no_call(tmp_path: Path) -> None:
    first = asked(tmp_path, engine(), strategy="cascade")
    again = engine()
    second = asked(tmp_path, again, strategy="cascade")
    assert again.calls == []
    assert (second.answer, second.run_id) == (first.answer, first.run_id)
    assert second.usage.recorded == first.usage.calls


def test_scoring_goes_on_where_the_budget_ended(tmp_path: Path) -> None:
    with pytest.raises(BudgetExceededError):
        asked(tmp_path, engine(), strategy="xl3m", max_calls=5)
    rest = engine()
    result = asked(tmp_path, rest, strategy="xl3m")
    assert result.answer.found
    assert result.usage.recorded == 5
    assert len(rest.calls) == result.usage.calls


def test_a_follow_up_is_searched_for_as_it_is_meant(tmp_path: Path) -> None:
    turns = (Turn("Who kept the light?", "The keeper of Skerry Head."),)
    result = asked(tmp_path, engine(), question="And where did he hide it?", turns=turns)
    assert (result.question, result.asked) == ("And where did he hide it?", QUESTION)
    assert result.answer.found


def test_an_engine_without_probabilities_is_searched_and_a_mode_is_refused_by_name(tmp_path: Path) -> None:
    events: list[Event] = []
    result = asked(tmp_path, engine(logprobs=0), strategy="cascade", events=events)
    assert (result.choice.strategy, result.answer.found) == (Strategy.RETRIEVE, True)
    assert any(isinstance(event, Warned) and "tells no probabilities" in event.message for event in events)
    with pytest.raises(ConfigError, match="by likelihood"):
        asked(tmp_path, engine(), strategy="cascade", scoring=ScoringMode.LIKELIHOOD)


def test_what_seemed_to_fit_is_counted_and_searched_where_it_does_not(tmp_path: Path) -> None:
    letters = [f"{n} a b c d e f g h i." for n in range(130)]
    document = story({"One": "\n".join([*letters[:60], NEEDLE, *letters[60:]])})
    result = asked(tmp_path, engine(), document=document)
    assert (result.choice.strategy, result.answer.found) == (Strategy.RETRIEVE, True)
    assert "do not fit one call" in result.choice.reason
    with pytest.raises(ContextTooLongError, match=r"does not fit one call.* take another --strategy"):
        asked(tmp_path, engine(), document=document, strategy="full")


def test_what_the_engine_finds_too_long_after_all_is_searched(tmp_path: Path) -> None:
    whole = book(32)

    def strict(request: CompletionRequest) -> str | Completion:
        if request.messages[-1].content.count("Day ") > 24:
            raise ContextTooLongError("too long")
        return reads(request)

    result = asked(tmp_path, engine(strict), document=whole)
    assert result.choice.strategy is Strategy.RETRIEVE
    assert "after all" in result.choice.reason


def test_a_session_goes_on_however_long_its_answers_are(tmp_path: Path) -> None:
    turns = tuple(Turn("Who kept the light?", "The keeper of Skerry Head. " * 60) for _ in range(5))
    assert asked(tmp_path, engine(), question="And where did he hide it?", turns=turns).answer.found


def test_where_no_segment_helps_the_best_are_read(tmp_path: Path) -> None:
    def sure_without(request: CompletionRequest) -> str | Completion:
        if not request.logprobs:
            return reads(request)
        share = 0.6 if "Day " in request.messages[-1].content else 0.99
        top = (("a", math.log(share)), ("b", math.log(1 - share)))
        return Completion("a", FinishReason.STOP, Usage(9, 1), "scripted", logprobs=(TokenLogprob(*top[0], top=top),))

    result = asked(tmp_path, engine(sure_without), strategy="xl3m", scoring=ScoringMode.CONTRAST)
    assert result.selection.context.excerpts


def test_where_no_segment_can_be_scored_the_search_decides(tmp_path: Path) -> None:
    def mute(request: CompletionRequest) -> str | Completion:
        return "The" if request.logprobs else reads(request)

    events: list[Event] = []
    result = asked(tmp_path, engine(mute), strategy="xl3m", events=events)
    assert result.answer.found
    told = [event.message for event in events if isinstance(event, Warned)]
    assert any("no segment could be scored, so what a search finds is read" in message for message in told)


@pytest.mark.parametrize("asked_for", [None, ScoringMode.LIKELIHOOD])
def test_a_mode_that_a_question_cannot_be_scored_in_gives_way_unless_it_was_asked_for(
    tmp_path: Path, asked_for: ScoringMode | None
) -> None:
    def no_whole_tokens(request: CompletionRequest) -> str | Completion:
        if request.continuation is not None:
            raise RequestRefusedError("no whole tokens for some characters")
        return reads(request)

    events: list[Event] = []
    able = ScoringEngine(no_whole_tokens, context_window=WINDOW, logprobs=20)
    result = asked(tmp_path, able, strategy="cascade", scoring=asked_for, events=events)
    told = [event.message for event in events if isinstance(event, Warned)]
    scored = [one.relevance.value for one in result.selection.candidates if one.relevance is not None]
    if asked_for is None:
        assert result.choice.scoring is ScoringMode.LABEL
        assert None not in scored
        assert any("cannot be scored by likelihood; label is taken" in message for message in told)
    else:
        assert result.choice.scoring is ScoringMode.LIKELIHOOD
        assert set(scored) == {None}
        assert any("could not be scored" in message for message in told)


def test_a_waiting_user_goes_before_other_work(tmp_path: Path) -> None:
    scripted = engine()
    asked(tmp_path, scripted, strategy="cascade")
    assert all(request.interactive for request in scripted.calls)


def test_what_is_recorded_counts_since_a_time(tmp_path: Path) -> None:
    asked(tmp_path, engine())

    async def work(workspace: Workspace) -> None:
        shelf = await shelf_of(workspace.records, [book()])
        for since, calls in ((datetime(2020, 1, 1, tzinfo=UTC), 0), (datetime.now(UTC), 1)):
            before = len(again.calls)
            await ask(workspace, shelf, QUESTION, AskOptions(), fresh_since=since, emit=lambda _: None)
            assert len(again.calls) - before == calls

    again = engine()
    with_workspace(tmp_path, work, again)


def test_too_small_a_context_is_refused() -> None:
    with pytest.raises(ConfigError, match="give at least 128"):
        AskOptions(context_tokens=64)


def test_a_question_that_fills_the_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not fit a window of 2,048"):
        asked(tmp_path, engine(), question="Where is the key? " * 500)


def test_a_model_that_keeps_no_structure_is_asked_plainly(tmp_path: Path) -> None:
    def plain(request: CompletionRequest) -> str:
        assert request.origin is not None
        return "no JSON" if request.origin.name == "ask/answer" else f"The keeper hid it. {NEEDLE}"

    events: list[Event] = []
    result = asked(tmp_path, engine(plain), events=events)
    assert result.answer.found
    assert any(isinstance(event, Warned) and "plain sentences" in event.message for event in events)


def test_counting_reads_every_segment_and_counts_itself(tmp_path: Path) -> None:
    def reads_all(request: CompletionRequest) -> str:
        lamps = re.findall(r"The lamp went out on day \d+\.", request.messages[-1].content)
        return json.dumps({"items": [{"quote": words, "text": ""} for words in lamps]})

    chapters = {
        f"Chapter {n}": "\n".join([HAY] * 12 + ([f"The lamp went out on day {n}."] if n % 3 == 0 else []) + [HAY] * 12)
        for n in range(1, 13)
    }
    result = asked(
        tmp_path,
        engine(reads_all),
        document=story(chapters),
        question="How many chapters mention that the lamp went out?",
    )
    assert result.choice.strategy is Strategy.MAP
    assert result.count == 4
    assert len({citation.start for citation in result.answer.citations}) == 4


def test_a_text_no_part_of_which_can_be_read_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(InvalidOutputError, match="no part of the text could be read"):
        asked(tmp_path, engine(lambda _: "no JSON"), question="How many chapters mention the lamp?")


def test_what_was_found_is_stored_with_every_score(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        shelf = await shelf_of(workspace.records, [book()])
        result = await ask(workspace, shelf, QUESTION, AskOptions(strategy="cascade"), emit=lambda _: None)
        payload = await workspace.records.selections.load(result.run_id)
        assert isinstance(payload, dict)
        candidates = payload["candidates"]
        assert isinstance(candidates, list)
        assert candidates
        assert all(isinstance(one, dict) and "relevance" in one and one["ranks"] for one in candidates)
        node = await workspace.records.nodes.get(f"{result.run_id}.0")
        assert node.text == result.answer.text

    with_workspace(tmp_path, work, engine())


def test_an_estimate_spends_nothing_and_bounds_the_calls(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        shelf = await shelf_of(workspace.records, [book()])
        for strategy in Strategy:
            options = AskOptions(strategy=strategy)
            estimate = await estimate_ask(workspace, shelf, QUESTION, options)
            assert scripted.calls == []
            assert estimate.calls >= 1
        cascade = await estimate_ask(workspace, shelf, QUESTION, AskOptions(strategy="cascade", candidates=5))
        assert cascade.calls == 6

    scripted = engine()
    with_workspace(tmp_path, work, scripted)


def test_a_collection_is_asked_as_one_text(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        other = story({"One": "\n".join(f"Night {n}. {HAY}" for n in range(200))}, "Another")
        await add_documents(workspace.records, [other, book()], collection="novels")
        shelf = await shelf_of_collection(workspace.records, "novels")
        result = await ask(workspace, shelf, QUESTION, AskOptions(), emit=lambda _: None)
        (citation,) = result.answer.citations
        assert citation.title == "Skerry Head"
        with pytest.raises(NotFoundError):
            await shelf_of_collection(workspace.records, "nothing")

    with_workspace(tmp_path, work, engine())


def test_a_collection_that_grows_meanwhile_is_asked_as_it_was(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        await add_documents(workspace.records, [book()], collection="novels")
        shelf = await shelf_of_collection(workspace.records, "novels")
        await add_documents(workspace.records, [book(190, title="Another")], collection="novels")
        for strategy in (Strategy.RETRIEVE, Strategy.XL3M):
            result = await ask(workspace, shelf, QUESTION, AskOptions(strategy=strategy), emit=lambda _: None)
            assert {citation.title for citation in result.answer.citations} == {"Skerry Head"}
        shelf.close()

    with_workspace(tmp_path, work, engine())


def test_an_estimate_of_reading_all_holds(tmp_path: Path) -> None:
    chapters = {f"Chapter {n}": f"{HAY}The lamp went out on day {n}." for n in range(1, 31)}
    question = "How many chapters mention the lamp?"
    scripted = engine(lambda _: json.dumps({"items": []}))

    async def work(workspace: Workspace) -> None:
        shelf = await shelf_of(workspace.records, [story(chapters)])
        estimate = await estimate_ask(workspace, shelf, question, AskOptions())
        assert scripted.calls == []
        result = await ask(workspace, shelf, question, AskOptions(), emit=lambda _: None)
        assert (result.count, len(scripted.calls)) == (0, estimate.calls)
        assert sum(call.max_tokens for call in scripted.calls) <= estimate.completion_tokens

    with_workspace(tmp_path, work, scripted)


def checked(path: Path, claims: list[str], answers: Callable[[CompletionRequest], str | Completion]) -> CheckResult:
    found: list[CheckResult] = []

    async def work(workspace: Workspace) -> None:
        shelf = await shelf_of(workspace.records, [book()])
        found.append(await check_claims(workspace, shelf, claims, AskOptions(), emit=lambda _: None))
        run = await workspace.records.runs.get(found[0].run_id)
        gaps = any(claim.check is None for claim in found[0].claims)
        assert run.status is (RunStatus.GAPS if gaps else RunStatus.DONE)
        nodes = await workspace.records.nodes.of_run(run.id)
        assert [node.status is NodeStatus.GAP for node in nodes] == [one.check is None for one in found[0].claims]

    with_workspace(path, work, engine(answers))
    return found[0]


def test_claims_are_checked_in_their_order(tmp_path: Path) -> None:
    claims = ["The keeper of Skerry Head hid the key under the stair.", "It never rained on the harbour."]
    verdicts = [one.check.verdict for one in checked(tmp_path, claims, reads).claims if one.check is not None]
    assert verdicts == ["true", "not_stated"]


def test_claims_share_one_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    async def counted(*arguments: Any, **options: Any) -> CollectionIndex:
        opened.append("index")
        return await open_index(*arguments, **options)

    monkeypatch.setattr("longdoc.app.shelf.open_index", counted)
    checked(tmp_path, [f"The keeper hid the key on day {n}." for n in range(9)], reads)
    assert opened == ["index"]


def test_a_claim_that_cannot_be_judged_does_not_stop_the_others(tmp_path: Path) -> None:
    def sometimes(request: CompletionRequest) -> str | Completion:
        return "no JSON" if "<claim>\nIt rained." in request.messages[1].content else reads(request)

    first, second = checked(tmp_path, ["It rained.", "The keeper of Skerry Head hid the key."], sometimes).claims
    assert first.check is None
    assert first.failure
    assert second.check is not None
