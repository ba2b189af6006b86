import asyncio
import json
import math
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    FinishReason,
    Message,
    PromptOrigin,
    TextSink,
    TokenLogprob,
    Usage,
)
from longdoc.errors import EngineUnavailableError, NotFoundError
from longdoc.storage.database import Database
from longdoc.storage.ledger import CallTotals, CallWork, Ledger, LedgerEngine, call_key
from longdoc.storage.nodes import Node, Nodes
from longdoc.storage.runs import RunRequest, Runs

_INFO = EngineInfo("scripted", "m", "m@1", 8192, prompt_price=2.0, completion_price=10.0)
_REQUEST = CompletionRequest(
    (Message("system", "Be brief."), Message("user", "Whose night? é")),
    100,
    temperature=0.5,
    top_p=0.9,
    seed=7,
    stop=("\n",),
    json_schema={"type": "object"},
    logprobs=2,
    origin=PromptOrigin("answer/ask", 3, {"question": "Whose night?", "words": 9}),
)
_ANSWER = Completion(
    "Nobody's\0.",
    FinishReason.LENGTH,
    Usage(1000, 100, 7),
    "m-2024",
    1.5,
    (TokenLogprob("No", -0.25, (("No", -0.25), ("Yes", -math.inf))), TokenLogprob("body", -math.inf, (), 1.5)),
    retries=2,
)


class _Engine:
    """Answers with the last message, as often as it is let, and counts."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.info = _INFO
        self.calls = 0
        self.open = asyncio.Event()
        self.open.set()
        self._outcomes = iter(outcomes)

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        self.calls += 1
        number = self.calls
        await self.open.wait()
        failure = next(self._outcomes, None)
        if failure is not None:
            raise failure
        if on_text is not None:
            on_text("in ")
            on_text("pieces")
        return replace(_ANSWER, text=f"answer {number}")

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    async def aclose(self) -> None:
        pass


def _with_ledger(location: str, work: Callable[[Database, Ledger], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(location)) as database:
            await work(database, Ledger(database))

    asyncio.run(main())


async def _start(database: Database, kind: str = "ask") -> str:
    return (await Runs(database).start(RunRequest(kind, "", (), {}, "m@1"))).id


def test_the_key_of_a_call_is_the_same_in_every_process_and_release() -> None:
    assert call_key("m@1", _REQUEST) == "e5670e1217cef725fd8d50e498497e9e7254aebc98f853868c2198e1e4756739"


def test_what_does_not_change_the_answer_does_not_change_the_key() -> None:
    same = replace(_REQUEST, origin=None, interactive=True)
    assert call_key("m@1", same) == call_key("m@1", _REQUEST)
    assert call_key("m@1", replace(_REQUEST, temperature=1)) == call_key("m@1", replace(_REQUEST, temperature=1.0))


def test_whatever_changes_the_answer_changes_the_key() -> None:
    others = [
        replace(_REQUEST, messages=_REQUEST.messages[1:]),
        replace(_REQUEST, messages=(Message("user", "Be brief."), _REQUEST.messages[1])),
        replace(_REQUEST, max_tokens=101),
        replace(_REQUEST, temperature=0.6),
        replace(_REQUEST, top_p=None),
        replace(_REQUEST, seed=None),
        replace(_REQUEST, stop=()),
        replace(_REQUEST, json_schema=None),
        replace(_REQUEST, json_schema={"type": "array"}),
        replace(_REQUEST, logprobs=None),
        replace(_REQUEST, entropy=True),
        replace(_REQUEST, continuation="Nobody's."),
        replace(_REQUEST, continuation="Mine."),
    ]
    keys = {call_key("m@1", other) for other in [_REQUEST, *others]} | {call_key("m@2", _REQUEST)}
    assert len(keys) == len(others) + 2


def test_a_recorded_answer_is_found_as_it_was(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        assert await ledger.find("key") is None
        recorded = await ledger.record("key", _REQUEST, _ANSWER, _INFO)
        assert recorded == replace(_ANSWER, call_id=recorded.call_id)
        assert await ledger.find("key") == replace(recorded, recorded=True)

    _with_ledger(database, work)


def test_the_newest_answer_counts_and_only_if_it_is_new_enough(database: str) -> None:
    hour = datetime(2024, 1, 1, tzinfo=UTC)
    times = iter([hour, hour + timedelta(hours=1)])

    async def work(opened: Database, _: Ledger) -> None:
        ledger = Ledger(opened, now=lambda: next(times))
        for answer in ("old", "new"):
            await ledger.record("key", _REQUEST, replace(_ANSWER, text=answer), _INFO)
        for since in (None, hour, hour + timedelta(hours=1)):
            found = await ledger.find("key", since=since)
            assert found is not None
            assert found.text == "new"
        assert await ledger.find("key", since=hour + timedelta(hours=1, microseconds=1)) is None

    _with_ledger(database, work)


def test_a_call_is_read_back_with_what_it_was_made_from(database: str) -> None:
    inputs = {
        "title": "Nights",
        "long": "x" * 513,
        "parts": ["y" * 600, {"document": "d", "start": 0}, {"text": "short"}],
        "text": {"text": "z\0" * 400},
        "none": None,
    }
    request = replace(_REQUEST, origin=PromptOrigin("answer/ask", 3, inputs))

    async def work(_: Database, ledger: Ledger) -> None:
        recorded = await ledger.record("key", request, _ANSWER, _INFO)
        assert recorded.call_id is not None
        call = await ledger.call(recorded.call_id)
        assert call.inputs == inputs
        assert (call.prompt_name, call.prompt_version, call.engine, call.identity) == (
            "answer/ask", 3, "scripted", "m@1",
        )  # fmt: skip
        assert call.sampling["temperature"] == 0.5
        assert call.json_schema == {"type": "object"}
        assert call.cost == pytest.approx(0.003)
        assert call.completion == replace(recorded, recorded=True)

    _with_ledger(database, work)


def test_a_call_without_origin_is_read_back_with_nothing(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        bare = CompletionRequest((Message("user", "hello"),), 5)
        recorded = await ledger.record("key", bare, replace(_ANSWER, logprobs=()), _INFO)
        call = await ledger.call(recorded.call_id or 0)
        assert (call.prompt_name, call.inputs, call.json_schema, call.completion.logprobs) == (None, {}, None, ())
        with pytest.raises(NotFoundError, match="there is no call 999"):
            await ledger.call(999)

    _with_ledger(database, work)


def test_long_texts_are_stored_once_and_messages_never(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ledger") / "x.db"
    text = "A long passage. " * 100

    async def work(_: Database, ledger: Ledger) -> None:
        for number in range(10):
            origin = PromptOrigin("answer/ask", 3, {"passage": text, "number": number})
            request = replace(_REQUEST, messages=(Message("user", f"rendered {text}"),), origin=origin)
            await ledger.record(str(number), request, _ANSWER, _INFO)

    _with_ledger(str(path), work)
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT inputs FROM calls").fetchall()
        assert connection.execute("SELECT CAST(body AS TEXT) FROM texts").fetchall() == [(text,)]
        assert "rendered" not in "\n".join(connection.iterdump())
    connection.close()
    assert set(json.loads(rows[0][0])["passage"]) == {"text"}


def test_the_engine_answers_from_the_record_without_spending(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        inner, pieces = _Engine(), list[str]()
        engine = LedgerEngine(inner, ledger)
        first = await engine.complete(_REQUEST, on_text=pieces.append)
        assert (first.recorded, pieces) == (False, ["in ", "pieces"])
        second = await engine.complete(_REQUEST, on_text=pieces.append)
        assert second == replace(first, recorded=True)
        assert pieces == ["in ", "pieces", "answer 1"]
        assert inner.calls == 1
        assert engine.info is inner.info
        assert await engine.count_tokens(["abc"]) == [3]

    _with_ledger(database, work)


def test_a_fresh_engine_ignores_what_is_older_but_not_what_it_made(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        inner = _Engine()
        await LedgerEngine(inner, ledger).complete(_REQUEST)
        fresh = LedgerEngine(inner, ledger, fresh_since=datetime.now(UTC))
        assert [(await fresh.complete(_REQUEST)).text for _ in range(2)] == ["answer 2", "answer 2"]
        assert (await LedgerEngine(inner, ledger).complete(_REQUEST)).text == "answer 2"

    _with_ledger(database, work)


def test_identical_calls_in_flight_are_made_once(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        inner = _Engine()
        engines = [LedgerEngine(inner, ledger) for _ in range(2)]
        answers = await asyncio.gather(*[engine.complete(_REQUEST) for engine in engines for _ in range(10)])
        assert inner.calls == 1
        assert {answer.text for answer in answers} == {"answer 1"}
        assert sorted(answer.recorded for answer in answers) == [False] + [True] * 19

    _with_ledger(database, work)


def test_different_calls_in_flight_do_not_wait_for_each_other(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        inner = _Engine()
        inner.open.clear()
        engine = LedgerEngine(inner, ledger)
        tasks = [asyncio.create_task(engine.complete(replace(_REQUEST, seed=seed))) for seed in range(5)]
        while inner.calls < 5:
            await asyncio.sleep(0.001)
        inner.open.set()
        assert len({answer.text for answer in await asyncio.gather(*tasks)}) == 5

    _with_ledger(database, work)


def test_when_the_first_of_identical_calls_fails_another_one_is_made(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        inner = _Engine(EngineUnavailableError("gone"), None)
        engine = LedgerEngine(inner, ledger)
        outcome = await asyncio.gather(*[engine.complete(_REQUEST) for _ in range(4)], return_exceptions=True)
        assert isinstance(outcome[0], EngineUnavailableError)
        assert [item.text for item in outcome[1:] if isinstance(item, Completion)] == ["answer 2"] * 3
        assert inner.calls == 2

    _with_ledger(database, work)


def test_when_the_first_of_identical_calls_is_cancelled_another_one_is_made(database: str) -> None:
    async def work(_: Database, ledger: Ledger) -> None:
        inner = _Engine()
        inner.open.clear()
        engine = LedgerEngine(inner, ledger)
        first, second = (asyncio.create_task(engine.complete(_REQUEST)) for _ in range(2))
        while inner.calls == 0:
            await asyncio.sleep(0.001)
        first.cancel()
        inner.open.set()
        assert (await second).text == "answer 2"
        assert first.cancelled()

    _with_ledger(database, work)


def test_cancelling_while_an_answer_is_recorded_keeps_it(database: str) -> None:
    async def work(opened: Database, ledger: Ledger) -> None:
        inner, hold = _Engine(), threading.Event()
        engine = LedgerEngine(inner, ledger)
        blocking = opened.enqueue(lambda _: hold.wait(10))
        task, follower = (asyncio.create_task(engine.complete(_REQUEST)) for _ in range(2))
        while inner.calls == 0:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0.01)
        hold.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await follower == await ledger.find(call_key("m@1", _REQUEST))
        assert inner.calls == 1
        assert await blocking

    _with_ledger(database, work)


def test_a_run_counts_the_calls_it_made_and_those_it_took(database: str) -> None:
    async def work(opened: Database, ledger: Ledger) -> None:
        first, second = await _start(opened, "ask"), await _start(opened, "chat")
        inner = _Engine()
        for run_id in (first, second, first):
            engine = LedgerEngine(inner, ledger, run_id=run_id)
            for seed in range(3):
                await engine.complete(replace(_REQUEST, seed=seed))
        await LedgerEngine(inner, ledger, run_id=second).complete(replace(_REQUEST, seed=99))
        assert await ledger.totals(first) == CallTotals(3, 0, Usage(3000, 300, 21), pytest.approx(0.009))
        assert await ledger.totals(second) == CallTotals(1, 3, Usage(1000, 100, 7), pytest.approx(0.003))
        assert await ledger.totals("unknown") == CallTotals(0, 0, Usage(), 0.0)
        without_calls = await _start(opened, "summarize")
        totals = await ledger.totals_of_runs()
        assert totals == {run_id: await ledger.totals(run_id) for run_id in (first, second)}
        assert without_calls not in totals

    _with_ledger(database, work)


def test_the_calls_behind_a_run_are_told_once_whoever_made_them(database: str) -> None:
    async def work(opened: Database, ledger: Ledger) -> None:
        nodes, ids = Nodes(opened), list[int]()
        first, second = await _start(opened, "ask"), await _start(opened, "chat")
        for seed in range(3):
            answer = await LedgerEngine(_Engine(), ledger, run_id=first).complete(replace(_REQUEST, seed=seed))
            assert answer.call_id is not None
            ids.append(answer.call_id)
        await nodes.save(Node(f"{second}.0", second, 0, 0, "", "One."), calls=ids[:2])
        await nodes.save(Node(f"{second}.1", second, 1, 1, "", "Two."), calls=ids[1:2])
        behind = await ledger.behind(second)
        assert (behind.calls, behind.usage, behind.cost) == (2, Usage(2000, 200, 14), pytest.approx(0.006))
        recorded = [(await ledger.call(call)).completion.seconds for call in ids[:2]]
        assert behind.seconds == pytest.approx(sum(recorded))
        assert await ledger.behind(first) == CallWork()

    _with_ledger(database, work)


def test_a_run_deleted_while_it_works_loses_no_call(database: str) -> None:
    async def work(opened: Database, ledger: Ledger) -> None:
        run_id = await _start(opened)
        await Runs(opened).delete(run_id)
        engine = LedgerEngine(_Engine(), ledger, run_id=run_id)
        assert (await engine.complete(_REQUEST)).call_id is not None
        assert (await engine.complete(_REQUEST)).recorded

    _with_ledger(database, work)
