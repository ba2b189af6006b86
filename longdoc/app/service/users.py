"""Routes of users, their items and what is said of them."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from longdoc.agents.profile_tasks import find_task
from longdoc.app.service.bodies import (
    After,
    Count,
    IdempotencyKey,
    InPath,
    ItemBody,
    ItemsBody,
    NameInQuery,
    SummaryBody,
    UserBody,
)
from longdoc.app.service.callers import PROBLEMS, Reading, Writing
from longdoc.app.service.replies import json_object, reply
from longdoc.app.service.tenant_memories import delete_memories
from longdoc.app.service.views import (
    ItemsView,
    ItemView,
    StoredView,
    SummariesView,
    SummaryView,
    UsersView,
    UserView,
)
from longdoc.errors import NotFoundError
from longdoc.storage.profile_rows import LONGEST_NAME, MOST_CHARACTERS, check_name
from longdoc.storage.profile_types import NewItem
from longdoc.storage.service_jobs import StoredReply

router = APIRouter(prefix="/v1/users", tags=["users"], responses=PROBLEMS)
_REPLAYED = {"idempotent-replayed": "true"}


@router.get("", response_model=UsersView)
async def list_users(
    asked: Reading, after: Annotated[str, Query(max_length=LONGEST_NAME)] = "", count: Count = 100
) -> Response:
    """Users by name."""
    profiles = asked.parts.library.records.profiles
    found = await profiles.list(asked.tenant.id, after=after, count=count)
    return reply(UsersView(list(map(UserView.of, found)), found[-1].user if len(found) == count else None))


@router.put("/{user}", response_model=UserView)
async def put_user(asked: Writing, user: InPath, body: UserBody | None = None) -> Response:
    """Make a user, or change whether answers are made for it."""
    profiles = asked.parts.library.records.profiles
    profile = await profiles.open(asked.tenant.id, user)
    if body is not None and profile.enabled != body.enabled:
        profile = await profiles.enable(profile, enabled=body.enabled)
    return reply(UserView.of(profile))


@router.get("/{user}", response_model=UserView)
async def get_user(asked: Reading, user: InPath) -> Response:
    """A user."""
    return reply(UserView.of(await asked.profile(user)))


@router.patch("/{user}", response_model=UserView)
async def change_user(asked: Writing, user: InPath, body: UserBody) -> Response:
    """Have answers made for a user, or not."""
    profile = await asked.profile(user)
    return reply(UserView.of(await asked.parts.library.records.profiles.enable(profile, enabled=body.enabled)))


@router.delete("/{user}", status_code=204)
async def delete_user(asked: Writing, user: InPath) -> Response:
    """Delete a user with all items, what is said and remembered of them, and the calls made for them."""
    records = asked.parts.library.records
    found = await records.profiles.find(asked.tenant.id, user)
    forgotten = await delete_memories(records, asked.tenant, user, asked.parts.indexes)
    if found is not None:
        await records.profiles.delete(found)
    elif not forgotten:
        raise NotFoundError(f"there is no user {user!r}")
    return Response(status_code=204)


@router.post("/{user}/items", response_model=StoredView)
async def put_items(asked: Writing, user: InPath, body: ItemsBody, idempotency_key: IdempotencyKey = None) -> Response:
    """Store items of a user, all or none of them; the user is made where there is none. When this is replied, they are
    on disk."""
    records = asked.parts.library.records
    check_name(user, "a user")
    new = [(user, _new(one)) for one in body.items]
    if idempotency_key is None:
        return reply(StoredView.of(await records.profiles.put(asked.tenant.id, new)))
    checksum = _checksum("items", user, body.model_dump_json())
    before = await records.jobs.reply(asked.tenant.id, idempotency_key, checksum=checksum)
    if before is not None:
        return reply(before.body, headers=_REPLAYED)
    stored = StoredView.of(await records.profiles.put(asked.tenant.id, new))
    kept = StoredReply(checksum, 200, json_object(stored))
    await records.jobs.keep_reply(asked.tenant.id, idempotency_key, kept)
    return reply(stored)


@router.get("/{user}/items", response_model=ItemsView)
async def list_items(asked: Reading, user: InPath, after: After = 0, count: Count = 100) -> Response:
    """Items of a user by number: so many, or fewer where they are long."""
    found = await asked.parts.library.records.profiles.page(await asked.profile(user), after=after, count=count)
    more = len(found) == count or sum(one.characters for one in found) >= MOST_CHARACTERS
    return reply(ItemsView(list(map(ItemView.of, found)), found[-1].number if more else None))


@router.delete("/{user}/items", status_code=204)
async def delete_item(asked: Writing, user: InPath, task: NameInQuery, key: NameInQuery) -> Response:
    """Delete an item, with what was said of the user from it."""
    profiles = asked.parts.library.records.profiles
    profile = await asked.profile(user)
    numbers = [item.number for item in await profiles.items(profile, task=task) if item.key == key]
    if not numbers or not await profiles.delete_items(profile, numbers):
        raise NotFoundError(f"there is no item {key!r} for {task!r}")
    return Response(status_code=204)


@router.get("/{user}/summaries", response_model=SummariesView)
async def list_summaries(asked: Reading, user: InPath) -> Response:
    """All that is said of a user, by task."""
    found = await asked.parts.library.records.profiles.summaries(await asked.profile(user))
    return reply(SummariesView(list(map(SummaryView.of, found))))


@router.put("/{user}/summaries/{task}", response_model=SummaryView)
async def say_summary(asked: Writing, user: InPath, task: InPath, body: SummaryBody) -> Response:
    """Say something else of a user for a task, and whether that is to stay."""
    check_name(task, "a task")
    if body.text is not None:
        find_task(asked.parts.tasks, task)
    profile = await asked.profile(user)
    profiles = asked.parts.library.records.profiles
    return reply(SummaryView.of(await profiles.edit_summary(profile, task, text=body.text, locked=body.locked)))


@router.delete("/{user}/summaries/{task}", status_code=204)
async def delete_summary(asked: Writing, user: InPath, task: InPath) -> Response:
    """Delete what is said of a user for a task."""
    profile = await asked.profile(user)
    if not await asked.parts.library.records.profiles.delete_summary(profile, task):
        raise NotFoundError(f"nothing is said of the user for {task!r}")
    return Response(status_code=204)


def _new(one: ItemBody) -> NewItem:
    return NewItem(one.task, one.key, one.text, one.output, one.at, one.source)


def _checksum(*parts: str) -> str:
    """Of a request: what is sent again under a key has to be the same."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
