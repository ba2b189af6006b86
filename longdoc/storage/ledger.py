"""The ledger: every call ever made, found again by what was asked.

Owns the queries and the engine wrapper that answers from the record; how a call becomes a row is `call_rows.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from sqlalchemy import Boolean, Connection, RowMapping, and_, bindparam, func, insert, select
from sqlalchemy.sql import Executable

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink, Usage
from longdoc.errors import NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.call_rows import (
    call_key,
    call_row,
    completion_of,
    split_inputs,
    text_references,
    with_texts,
)
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.columns import BigId
from longdoc.storage.database import Database
from longdoc.storage.inserts import missing_from
from longdoc.storage.schema import call_texts, calls, node_calls, nodes, run_calls, runs
from longdoc.storage.texts import store_text, stored_texts

__all__ = ["CallTotals", "CallWork", "Ledger", "LedgerEngine", "RecordedCall", "call_key"]

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)

_NEWEST = (
    select(
        calls.c.id,
        calls.c.model,
        calls.c.answer,
        calls.c.finish_reason,
        calls.c.prompt_tokens,
        calls.c.completion_tokens,
        calls.c.cached_tokens,
        calls.c.seconds,
        calls.c.retries,
        calls.c.logprobs,
        run_calls.c.call_id.is_not(None).label("counted"),
    )
    .outerjoin(run_calls, and_(run_calls.c.call_id == calls.c.id, run_calls.c.run_id == bindparam("run_id")))
    .where(calls.c.key == bindparam("key"), calls.c.created_at >= bindparam("since"))
    .order_by(calls.c.id.desc())
    .limit(1)
)
_INSERT_CALL = insert(calls).returning(calls.c.id)
_INSERT_TEXTS = insert(call_texts)
_SUMS = tuple(
    func.sum(column).label(column.name)
    for column in (calls.c.prompt_tokens, calls.c.completion_tokens, calls.c.cached_tokens, calls.c.cost)
)
_TOTALS = (
    select(run_calls.c.run_id, run_calls.c.recorded, func.count().label("calls"), *_SUMS)
    .join(calls)
    .group_by(run_calls.c.run_id, run_calls.c.recorded)
)
_TAKEN = (
    select(func.count().label("calls"), *_SUMS, func.sum(calls.c.seconds).label("seconds"))
    .select_from(run_calls)
    .join(calls)
    .where(run_calls.c.run_id == bindparam("run_id"))
)
_BEHIND = (
    select(func.count().label("calls"), *_SUMS, func.sum(calls.c.seconds).label("seconds"))
    .select_from(calls)
    .where(
        calls.c.id.in_(
            select(node_calls.c.call_id)
            .join(nodes, nodes.c.id == node_calls.c.node_id)
            .where(nodes.c.run_id == bindparam("run_id"))
        )
    )
)
_MADE_AT = select(runs.c.created_at).where(runs.c.id == bindparam("run_id"))
_COUNTED = select(runs.c.id, bindparam("call_id", type_=BigId), bindparam("recorded", type_=Boolean)).where(
    runs.c.id == bindparam("run_id")
)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as it stands in the ledger: `inputs` are the variables of its prompt, `cost` is in US dollars."""

    id: int
    key: str
    engine: str
    identity: str
    prompt_name: str | None
    prompt_version: int | None
    inputs: JsonValue
    sampling: Mapping[str, JsonValue]
    json_schema: Mapping[str, JsonValue] | None
    completion: Completion
    cost: float
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CallTotals:
    """What a run has taken: `calls` made for it, with their tokens and dollars; `recorded` came from the record."""

    calls: int = 0
    recorded: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class CallWork:
    """What calls took together, whoever made them; `seconds` are added up, also of calls made at the same time."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: CallWork) -> CallWork:
        return CallWork(
            self.calls + other.calls,
            self.usage + other.usage,
            self.cost + other.cost,
            self.seconds + other.seconds,
        )


class Ledger:
    """The stored calls."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def find(self, key: str, *, since: datetime | None = None, run_id: str | None = None) -> Completion | None:
        """The newest answer of a key, not recorded before `since`; with `run_id`, counted as taken by that run."""
        values = {"key": key, "since": since or _BEFORE_ALL, "run_id": run_id}
        row = await self._database.read(lambda connection: connection.execute(_NEWEST, values).mappings().first())
        if row is None:
            return None
        if run_id is not None and not row["counted"]:
            await self._database.write(lambda connection: _count(connection, run_id, row["id"], recorded=True))
        return completion_of(row)

    async def record(
        self,
        key: str,
        request: CompletionRequest,
        completion: Completion,
        info: EngineInfo,
        *,
        run_id: str | None = None,
    ) -> Completion:
        """Store a call, made by the run if one is given; returns it with its `call_id` once it is on disk."""
        return await self.enqueue(key, request, completion, info, run_id=run_id)

    def enqueue(
        self,
        key: str,
        request: CompletionRequest,
        completion: Completion,
        info: EngineInfo,
        *,
        run_id: str | None = None,
        bound: datetime | None = None,
    ) -> asyncio.Future[Completion]:
        """As `record`, but queued on return: whatever becomes of the caller, the call will be stored.

        One that is `bound` to a run that was made at a moment is stored with it or not at all: `NotFoundError` where
        the run was deleted meanwhile, also where another one of the same id was made since.
        """
        split = split_inputs(request)
        row = call_row(request, completion, info, inputs=split.inputs) | {"key": key, "created_at": self._now()}

        def work(connection: Connection) -> Completion:
            if bound is not None and connection.execute(_MADE_AT, {"run_id": run_id}).scalar() != bound:
                raise NotFoundError("what this was asked for was deleted meanwhile")
            for sha256, text in split.texts.items():
                store_text(connection, sha256, text)
            call_id = int(connection.execute(_INSERT_CALL, row).scalar_one())
            if split.texts:
                connection.execute(_INSERT_TEXTS, [{"call_id": call_id, "sha256": sha256} for sha256 in split.texts])
            if run_id is not None:
                _count(connection, run_id, call_id, recorded=False)
            return replace(completion, call_id=call_id)

        return self._database.enqueue(work)

    async def call(self, call_id: int) -> RecordedCall:
        """A call with its inputs, long texts in their places. Raises `NotFoundError`."""

        def work(connection: Connection) -> RecordedCall | None:
            row = connection.execute(select(calls).where(calls.c.id == call_id)).mappings().first()
            return None if row is None else _recorded_call(connection, row)

        found = await self._database.read(work)
        if found is None:
            raise NotFoundError(f"there is no call {call_id}")
        return found

    async def totals(self, run_id: str) -> CallTotals:
        """What a run has taken over all its starts."""
        found = await self._totals(_TOTALS.where(run_calls.c.run_id == run_id))
        return found.get(run_id, CallTotals())

    async def totals_of_runs(self) -> Mapping[str, CallTotals]:
        """What each run has taken, by its id; runs without any call are not in it."""
        return await self._totals(_TOTALS)

    async def behind(self, run_id: str) -> CallWork:
        """The calls that the nodes of a run came from, each once: what its result takes where nothing is recorded yet.

        Unlike `totals`, calls that other runs had made before are in it, and those that a later start replaced are not.
        """
        row = await self._database.read(
            lambda connection: connection.execute(_BEHIND, {"run_id": run_id}).mappings().one()
        )
        return CallWork(row["calls"], _usage(row), row["cost"], row["seconds"]) if row["calls"] else CallWork()

    async def taken_by(self, run_id: str) -> CallWork:
        """All calls of a run, each once, over all its starts, whether they were made for it or found in the record."""
        row = await self._database.read(
            lambda connection: connection.execute(_TAKEN, {"run_id": run_id}).mappings().one()
        )
        return CallWork(row["calls"], _usage(row), row["cost"], row["seconds"]) if row["calls"] else CallWork()

    def turn(self, key: str) -> asyncio.Lock:
        """Held by the one task that may make a call, so that another one with the same key finds its answer."""
        return self._turns.setdefault(key, asyncio.Lock())

    async def _totals(self, statement: Executable) -> dict[str, CallTotals]:
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        found: dict[str, CallTotals] = {}
        for row in rows:
            found[row["run_id"]] = _added(found.get(row["run_id"], CallTotals()), row)
        return found


class LedgerEngine:
    """An engine that answers from the record where it can, and records what it has to ask.

    Identical calls in flight at once are made once: the others wait, and one of them goes on where the first
    fails. Answers from before `fresh_since` do not count. Calls are counted for the run `run_id` if given;
    `interactive`: somebody waits for them. Calls that are `bound` to the run as it was made at a moment are recorded
    as long as it is there.
    """

    def __init__(
        self,
        inner: Engine,
        ledger: Ledger,
        *,
        run_id: str | None = None,
        fresh_since: datetime | None = None,
        interactive: bool = False,
        bound: datetime | None = None,
    ) -> None:
        self._bound = bound
        self._inner = inner
        self._ledger = ledger
        self._run_id = run_id
        self._fresh_since = fresh_since
        self._interactive = interactive

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`; also raises `StorageError`. What is recorded reaches `on_text` in one piece."""
        key = call_key(self._inner.info.identity, request)
        async with self._ledger.turn(key):
            found = await self._ledger.find(key, since=self._fresh_since, run_id=self._run_id)
            if found is None:
                return await self._ask(key, request, on_text)
        if on_text is not None:
            on_text(found.text)
        return found

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()

    async def _ask(self, key: str, request: CompletionRequest, on_text: TextSink | None) -> Completion:
        urgent = replace(request, interactive=True) if self._interactive else request
        completion = await self._inner.complete(urgent, on_text=on_text)
        stored = self._ledger.enqueue(
            key, request, completion, self._inner.info, run_id=self._run_id, bound=self._bound
        )
        try:
            return await asyncio.shield(stored)
        except asyncio.CancelledError:
            # Whoever waits for the same answer looks into the record next: it has to be there by then.
            await asyncio.wait([stored])
            raise


def _count(connection: Connection, run_id: str, call_id: int, *, recorded: bool) -> None:
    """Count a call for a run, the first time it is told; a run that was deleted meanwhile counts nothing."""
    values = {"run_id": run_id, "call_id": call_id, "recorded": recorded}
    connection.execute(missing_from(connection.dialect.name, run_calls, _COUNTED), values)


def _added(totals: CallTotals, row: RowMapping) -> CallTotals:
    """A run's totals with those of its calls that were made, or of those that came from the record."""
    if row["recorded"]:
        return replace(totals, recorded=row["calls"])
    return replace(totals, calls=row["calls"], usage=_usage(row), cost=row["cost"])


def _usage(row: RowMapping) -> Usage:
    return Usage(int(row["prompt_tokens"]), int(row["completion_tokens"]), int(row["cached_tokens"]))


def _recorded_call(connection: Connection, row: RowMapping) -> RecordedCall:
    texts = stored_texts(connection, set(text_references(row["inputs"])))
    return RecordedCall(
        id=row["id"],
        key=row["key"],
        engine=row["engine"],
        identity=row["identity"],
        prompt_name=row["prompt_name"],
        prompt_version=row["prompt_version"],
        inputs=with_texts(row["inputs"], texts),
        sampling=row["sampling"],
        json_schema=row["json_schema"],
        completion=completion_of(row),
        cost=row["cost"],
        created_at=row["created_at"],
    )
