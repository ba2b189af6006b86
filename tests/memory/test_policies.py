"""Policies keep to their budget, take the best in full, and say what they did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from longdoc.memory.decision import Candidate, Decision, Form, Gate, Judgement
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.memory.policies import (
    Automatic,
    FullHistory,
    GateRule,
    MemoryPolicy,
    RecallOptions,
    Retrieval,
    SelfControlled,
)
from longdoc.memory.ranking import Ranking
from longdoc.memory.stream import MemoryStream
from longdoc.storage.database import Database
from longdoc.storage.memories import Memories
from longdoc.storage.memory_derived import MemoryVectors
from longdoc.storage.memory_types import MemoryFilter, MemoryKind, NamespaceName, NewMemory

WRAPPER = 3


class Words:
    """Counts words."""

    identity = "words"

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


class Closed:
    """A gate and a judge that say what they are told."""

    def __init__(self, *, needed: bool = True, judgement: Judgement | None = None) -> None:
        self.open = needed
        self.judgement = judgement or Judgement(useful=True)

    async def needed(self, question: str) -> Gate:
        return Gate(self.open, "so it is", asked=True)

    async def judge(self, question: str, candidates: Sequence[Candidate]) -> Sequence[Judgement]:
        return [self.judgement] * len(candidates)


def long(topic: str, words: int = 60) -> str:
    return f"{topic} " + "word " * words


MEMORIES = [
    NewMemory(long("The lighthouse stands in Bergen."), summary="Lighthouse in Bergen."),
    NewMemory("I had soup.", "Nice."),
    NewMemory(long("The lighthouse was painted red."), summary="Lighthouse is red."),
    NewMemory(long("The cat sleeps.")),
    NewMemory("A fact about a lighthouse.", kind=MemoryKind.FACT),
    NewMemory("What a day.", "Indeed."),
]


def with_stream(tmp_path: Path, work: Callable[[MemoryStream], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(tmp_path / "longdoc.db")) as database:
            memories = Memories(database)
            rows = MemoryRows(await memories.open(NamespaceName("alice")), memories, MemoryVectors(database))
            await memories.append_all(rows.namespace.id, MEMORIES)
            async with aclosing(await MemoryIndex.open(tmp_path / "index", rows, None, lost=print)) as index:
                await work(MemoryStream(rows, index, Words(), wrapper=WRAPPER))

    asyncio.run(main())


def forms(decision: Decision) -> dict[int, Form]:
    return {one.candidate.number: one.form for one in decision.fitted}


async def decide(policy: MemoryPolicy, budget: int, question: str = "Where is the lighthouse?") -> Decision:
    decision = await policy.decide(question, before=7, budget=budget)
    assert decision.tokens <= budget
    assert decision.tokens == sum(len(one.text.split()) + WRAPPER for one in decision.kept)
    numbers = [one.candidate.number for one in decision.fitted]
    assert numbers == sorted(numbers)
    return decision


@pytest.mark.parametrize("kind", [FullHistory, Retrieval, Automatic])
@pytest.mark.parametrize("budget", [0, 5, 20, 60, 100, 150, 1000])
def test_no_policy_passes_its_budget(
    tmp_path: Path, kind: Callable[[MemoryStream, RecallOptions], MemoryPolicy], budget: int
) -> None:
    async def work(stream: MemoryStream) -> None:
        await decide(kind(stream, RecallOptions()), budget)
        scm = SelfControlled(stream, RecallOptions(), gate=Closed(), judge=Closed())
        await decide(scm, budget)

    with_stream(tmp_path, work)


def test_everything_is_recalled_while_it_fits(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        for kind in (FullHistory, Automatic):
            decision = await decide(kind(stream, RecallOptions()), 1000)
            assert forms(decision) == dict.fromkeys(range(1, 6), Form.FULL)
            assert decision.flash is not None
            assert decision.flash.candidate.number == 6
            assert decision.reason == "everything fits"

    with_stream(tmp_path, work)


def test_the_best_is_taken_in_full_and_others_as_summaries(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        decision = await decide(Automatic(stream, RecallOptions()), 100)
        kept = {number: form for number, form in forms(decision).items() if form is not Form.DROPPED}
        assert sorted(kept) == [1, 3, 5]
        assert sorted(kept.values()) == [Form.FULL, Form.FULL, Form.SUMMARY]
        retrieved = await decide(Retrieval(stream, RecallOptions()), 100)
        assert Form.SUMMARY not in forms(retrieved).values()

    with_stream(tmp_path, work)


def test_the_last_turns_are_kept_where_not_everything_fits(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        decision = await decide(FullHistory(stream, RecallOptions()), 20)
        assert forms(decision) == {5: Form.FULL}
        assert decision.reason == "the last 2 memories fit"

    with_stream(tmp_path, work)


def test_a_best_memory_that_is_too_long_is_cut(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        facts_aside = RecallOptions(meant=MemoryFilter(kinds=frozenset({MemoryKind.TURN})), flash=False)
        decision = await decide(Retrieval(stream, facts_aside), 10)
        assert sorted(forms(decision).values()) == [Form.CUT, Form.DROPPED]  # what did not fit is told too
        assert [one.form for one in decision.kept] == [Form.CUT]
        assert decision.kept[0].text.startswith("User: The lighthouse")

    with_stream(tmp_path, work)


@pytest.mark.parametrize("policy", [Retrieval, Automatic])
def test_the_turn_before_leaves_room_for_what_was_said_of_it_before(
    tmp_path: Path, policy: Callable[[MemoryStream, RecallOptions], MemoryPolicy]
) -> None:
    async def work(stream: MemoryStream) -> None:
        long = " ".join(f"This is sentence number {number} of a long answer." for number in range(40))
        await stream.rows.memories.append(stream.namespace, NewMemory("Tell me more.", response=long))
        for budget in (60, 120, 240):
            asked = policy(stream, RecallOptions())
            decision = await asked.decide("Where is the lighthouse?", before=100, budget=budget)
            assert decision.tokens <= budget
            assert decision.flash is None or decision.flash.tokens <= budget / 4
            assert any(one.form is not Form.DROPPED for one in decision.fitted)

    with_stream(tmp_path, work)


def test_the_gate_and_its_rules(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        for options, gate, asked, recalls in (
            (RecallOptions(), Closed(needed=False), True, False),
            (RecallOptions(), Closed(), True, True),
            (RecallOptions(gate=GateRule.ALWAYS), Closed(needed=False), False, True),
            (RecallOptions(gate=GateRule.NEVER), Closed(), False, False),
            (RecallOptions(activation=False, gate=GateRule.ALWAYS), Closed(), False, False),
        ):
            decision = await decide(SelfControlled(stream, options, gate=gate, judge=Closed()), 100)
            assert (decision.gate.asked, bool(decision.fitted)) == (asked, recalls)
            assert decision.flash is not None

    with_stream(tmp_path, work)


def test_a_judge_is_counted_and_can_be_left_out(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        options = RecallOptions(gate=GateRule.ALWAYS, judge_min_tokens=0)
        useless = Closed(judgement=Judgement(useful=False))
        judged = await decide(SelfControlled(stream, options, gate=None, judge=useless), 80)
        assert judged.calls > 0
        assert Form.DROPPED in forms(judged).values()
        without = RecallOptions(gate=GateRule.ALWAYS, controller=False)
        alone = await decide(SelfControlled(stream, without, gate=None, judge=useless), 80)
        assert alone.calls == 0

    with_stream(tmp_path, work)


def test_recency_can_decide(tmp_path: Path) -> None:
    async def work(stream: MemoryStream) -> None:
        for weight, best in ((0.0, 0), (1.0, 5)):
            options = RecallOptions(ranking=Ranking(weight=weight), gate=GateRule.ALWAYS, k=3, flash=False)
            decision = await decide(SelfControlled(stream, options, gate=None, judge=None), 100)
            ranks = {one.candidate.number: one.candidate.rank for one in decision.fitted}
            assert len(ranks) == 3
            if weight:
                assert max(ranks, key=ranks.__getitem__) == best
                assert all(one.candidate.recency is not None for one in decision.fitted)

    with_stream(tmp_path, work)
