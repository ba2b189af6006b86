"""Putting all that is held of users out, one JSON object a line, as `profile_import` takes it in again."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Final

from longdoc.app.bootstrap import Records
from longdoc.json_value import JsonValue
from longdoc.storage.profile_types import Item, Profile, ProfileSummary, Tenant

_PAGE: Final = 200


async def export_tenant(records: Records, tenant: Tenant, *, summaries: bool) -> AsyncGenerator[str, None]:
    """The lines of all users of a tenant, by name; no more than a page of items is held."""
    after = ""
    while page := await records.profiles.list(tenant.id, after=after, count=_PAGE):
        for profile in page:
            async for line in export_profile(records, profile, summaries=summaries):
                yield line
        after = page[-1].user


async def export_profile(records: Records, profile: Profile, *, summaries: bool) -> AsyncGenerator[str, None]:
    """The lines of a user: items in their order; before them a line of the user where it is off, or has no items;
    behind them the summaries, where they are asked for."""
    page = await records.profiles.page(profile, count=_PAGE)
    if not profile.enabled or not page:
        yield _line({"user": profile.user, "enabled": profile.enabled})
    while page:
        for item in page:
            yield _line(item_json(profile.user, item))
        page = await records.profiles.page(profile, after=page[-1].number, count=_PAGE)
    if summaries:
        for summary in await records.profiles.summaries(profile):
            items = await records.profiles.items(profile, task=summary.task)
            yield _line({"user": profile.user, "summary": summary_json(summary, items)})


def item_json(user: str, item: Item) -> dict[str, JsonValue]:
    """An item as a value for programs."""
    return {
        "user": user,
        "task": item.task,
        "key": item.key,
        "text": item.text,
        "output": item.output,
        "at": None if item.at is None else item.at.isoformat(),
        "source": item.source,
        "recorded_at": item.recorded_at.isoformat(),
    }


def summary_json(summary: ProfileSummary, items: list[Item]) -> dict[str, JsonValue]:
    """A summary as a value for programs, with the keys of the task's items that it was made from, and that it does not
    know."""
    numbers = set(summary.items)
    return {
        "task": summary.task,
        "text": summary.text,
        "made_from": [item.key for item in items if item.number in numbers],
        "unseen": [item.key for item in items if item.change > summary.change],
        "seen": summary.seen,
        "model": summary.model,
        "prompt": summary.prompt,
        "made_at": summary.made_at.isoformat(),
        "counted": dict(summary.counted),
        "locked": summary.locked,
        "edited": summary.edited,
    }


def _line(value: dict[str, JsonValue]) -> str:
    line = json.dumps(value, ensure_ascii=False)
    # What a program stored may hold what no file in UTF-8 does; JSON has a way to write it.
    return line if line.isascii() or _encodable(line) else json.dumps(value)


def _encodable(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
