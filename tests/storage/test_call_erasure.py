"""What goes with a user or an item: calls, their long texts, and nothing that others still use."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    FinishReason,
    Message,
    PromptOrigin,
    Usage,
)
from longdoc.errors import NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.database import Database
from longdoc.storage.ledger import Ledger
from longdoc.storage.profile_types import NewItem, Profile
from longdoc.storage.profiles import Profiles
from longdoc.storage.runs import RunRequest, Runs
from longdoc.storage.schema import VERSION_TABLE
from longdoc.storage.texts import text_sha256

_INFO = EngineInfo(engine="test", model="m", identity="m", context_window=4096)
_ANSWER = Completion("yes", FinishReason.STOP, Usage(1, 1, 0), "m")
_LONG = {name: f"{name} " * 300 for name in ("own", "shared", "other")}


def _asked(inputs: dict[str, JsonValue]) -> CompletionRequest:
    return CompletionRequest((Message("user", "x"),), max_tokens=8, origin=PromptOrigin("p", 1, inputs))


async def _run(database: Database, profile: Profile, *, of: str = "") -> str:
    run = await Runs(database).start(RunRequest("profile", "", (), {"of": of or profile.user}, "m"))
    await Profiles(database).owns(profile, run.id)
    return run.id


async def _texts(database: Database) -> set[str]:
    rows = await database.read(lambda connection: connection.execute(text("SELECT sha256 FROM texts")).all())
    return {name for name, long in _LONG.items() if (text_sha256(long),) in {tuple(row) for row in rows}}


def _with(location: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def opened() -> None:
        async with aclosing(await Database.open(location)) as database:
            await work(database)

    asyncio.run(opened())


async def _two_users(database: Database) -> tuple[Profile, Profile]:
    """Two users with a call each, of a text of their own and one that both have."""
    profiles, ledger = Profiles(database), Ledger(database)
    tenant = await profiles.tenant("one")
    await profiles.put(tenant.id, [(user, NewItem("title", "k", "a text")) for user in ("ann", "bob")])
    ann, bob = await profiles.get(tenant.id, "ann"), await profiles.get(tenant.id, "bob")
    for user, own in ((ann, "own"), (bob, "other")):
        inputs: dict[str, JsonValue] = {"ask": _LONG[own], "items": [{"text": _LONG["shared"], "item": 1}]}
        await ledger.record(user.user, _asked(inputs), _ANSWER, _INFO, run_id=await _run(database, user))
    assert await _texts(database) == {"own", "shared", "other"}
    return ann, bob


def test_the_long_texts_of_a_users_calls_go_unless_others_have_them(database: str) -> None:
    async def work(opened: Database) -> None:
        ann, bob = await _two_users(opened)
        await Profiles(opened).delete_items(ann, [1])
        assert await _texts(opened) == {"shared", "other"}
        await Profiles(opened).delete(bob)
        assert await _texts(opened) == set()

    _with(database, work)


def test_calls_from_before_their_texts_were_listed_are_listed(database: str) -> None:
    async def before(opened: Database) -> None:
        await _two_users(opened)
        for statement in (
            "DROP TABLE call_texts",
            "DROP INDEX ix_documents_text_sha256",
            "ALTER TABLE api_keys DROP COLUMN lasts",
            "ALTER TABLE service_jobs DROP COLUMN lost",
            "ALTER TABLE service_files DROP COLUMN metadata",
            f"UPDATE {VERSION_TABLE} SET version_num = '0009'",
        ):
            await opened.write(lambda connection, done=statement: connection.execute(text(done)).close())

    async def after(opened: Database) -> None:
        profiles = Profiles(opened)
        tenant = await profiles.tenant("one")
        await profiles.delete(await profiles.get(tenant.id, "ann"))
        assert await _texts(opened) == {"shared", "other"}
        await profiles.delete(await profiles.get(tenant.id, "bob"))
        assert await _texts(opened) == set()

    _with(database, before)
    _with(database, after)


def test_a_call_that_is_bound_to_a_run_is_not_recorded_for_the_next_of_the_same_id(database: str) -> None:
    async def work(opened: Database) -> None:
        moments = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(9))
        runs, ledger, asked = Runs(opened, now=lambda: next(moments)), Ledger(opened), RunRequest("k", "", (), {}, "m")
        first = await runs.start(asked)
        again = await runs.start(asked)
        assert again.created_at == first.created_at
        request = _asked({"ask": _LONG["own"]})
        await ledger.enqueue("a", request, _ANSWER, _INFO, run_id=first.id, bound=first.created_at)
        await runs.delete(first.id, with_calls=True)
        with pytest.raises(NotFoundError):
            await ledger.enqueue("b", request, _ANSWER, _INFO, run_id=first.id, bound=first.created_at)
        second = await runs.start(asked)
        assert second.id == first.id
        with pytest.raises(NotFoundError):
            await ledger.enqueue("b", request, _ANSWER, _INFO, run_id=first.id, bound=first.created_at)
        assert await ledger.find("b") is None
        await ledger.enqueue("b", request, _ANSWER, _INFO, run_id=second.id, bound=second.created_at)

    _with(database, work)
