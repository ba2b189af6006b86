"""The ledger: every call ever made, found again by what was asked.

Owns the identity of calls, their rows, and the engine wrapper that answers from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink, Usage
from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.database import Database


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as it stands in the ledger; `inputs` are the prompt's variables with long texts in their place.

    `cost` is in US dollars.
    """

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
    """Calls of a run: `calls` made for it, with their tokens and dollars; `recorded` were taken from the record."""

    calls: int
    recorded: int
    usage: Usage
    cost: float


def call_key(identity: str, request: CompletionRequest) -> str:
    """What a call is found by: SHA-256 over model identity, messages, sampling parameters and schema."""
    ...


class Ledger:
    """The stored calls."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def find(
        self, key: str, *, since: datetime | None = None, run_id: str | None = None
    ) -> Completion | None:
        """The newest answer of a key, not recorded before `since`; with `run_id`, counted as taken by that run."""
        ...

    async def record(
        self,
        key: str,
        request: CompletionRequest,
        completion: Completion,
        info: EngineInfo,
        *,
        run_id: str | None = None,
    ) -> Completion:
        """Store a call; returns the completion with its `call_id` once it is on disk."""
        ...

    async def call(self, call_id: int) -> RecordedCall:
        """A call with its inputs. Raises `NotFoundError`."""
        ...

    async def totals(self, run_id: str) -> CallTotals:
        """What a run has taken, over all its starts."""
        ...


class LedgerEngine:
    """An engine that answers from the record where it can, and records what it has to ask.

    Identical calls in flight at once are made once. `fresh_since`: older answers do not count.
    """

    def __init__(
        self, inner: Engine, ledger: Ledger, *, run_id: str | None = None, fresh_since: datetime | None = None
    ) -> None:
        self._inner = inner
        self._ledger = ledger
        self._run_id = run_id
        self._fresh_since = fresh_since

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`; also raises `StorageError`."""
        ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()
