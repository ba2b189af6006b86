"""Commands of `lda personalize` that change: what is said of a user, whether answers are made for them, their end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.personalize_options import ProfilePlace, User

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.storage.profile_types import Profile, ProfileSummary, Tenant


@options.with_fields("place", ProfilePlace)
def change_summary(
    user: User,
    *,
    task: Annotated[str, typer.Option("--task", help="For which task.", metavar="NAME")],
    edit: Annotated[
        str | None, typer.Option("--edit", help="Say this instead; - reads standard input.", metavar="TEXT")
    ] = None,
    lock: Annotated[bool, typer.Option("--lock", help="Keep it from being made again.")] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="Let it be made again.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it; a refresh makes another.")] = False,
    place: ProfilePlace,
) -> None:
    """Show what is said of a user for a task, or change it.

    Example: lda personalize summary ann --task title --edit "Short titles that begin with a verb." --lock
    """
    from longdoc.cli.memory_lines import STANDARD, read_text
    from longdoc.cli.personalize_output import said_json
    from longdoc.errors import ConfigError

    if (lock and unlock) or (delete and (lock or unlock or edit is not None)):
        raise ConfigError("say one thing: --edit TEXT, --lock or --unlock, or --delete")
    text = read_text(STANDARD) if edit == STANDARD else edit
    if delete:
        place.with_profile(user, lambda records, profile: _deleted(records, profile, task))
        if place.json:
            typer.echo(said_json(user, task, None))
        else:
            typer.echo(f"nothing is said of {user} for {task} any more", err=True)
        return
    locked = True if lock else False if unlock else None
    said = place.with_profile(user, lambda records, profile: _said(records, profile, task, text, locked=locked))
    if place.json:
        typer.echo(said_json(user, task, said))
    elif text is None and locked is None:
        typer.echo(said.text)
    else:
        typer.echo(f"the summary of {user} for {task} is {'locked' if said.locked else 'changed'}", err=True)


@options.with_fields("place", ProfilePlace)
def turn_on(user: User, *, place: ProfilePlace) -> None:
    """Make answers for a user again.

    Example: lda personalize on ann
    """
    _turn(user, place, enabled=True)


@options.with_fields("place", ProfilePlace)
def turn_off(user: User, *, place: ProfilePlace) -> None:
    """Make no more answers for a user; what is known stays, and is not used.

    Example: lda personalize off ann
    """
    _turn(user, place, enabled=False)


@options.with_fields("place", ProfilePlace)
def forget(
    user: User,
    *,
    item: Annotated[
        list[str] | None,
        typer.Option("--item", help="Items of this key alone; can be given again.", metavar="KEY"),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Items of this task alone, and its summary.", metavar="NAME")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    place: ProfilePlace,
) -> None:
    """Delete a user, or items, with all that was made from them: summaries, vectors, and calls on record.

    This cannot be taken back. Conversations ('lda chat') of a user of this computer are kept; 'lda memory delete'
    deletes them. What a service remembers of users of other tenants goes with them.

    Example: lda personalize forget ann --item mail-17 --item mail-18
    """
    from longdoc.cli.exits import ExitCode
    from longdoc.cli.personalize_output import forgotten_json

    keys = list(dict.fromkeys(item or ()))
    found = place.with_profile(user, lambda records, profile: _numbers(records, profile, keys, task))
    whole = not keys and task is None
    what = f"{user} with {len(found):,} items" if whole else f"{len(found):,} items of {user}"
    if not yes and not _confirmed(what):
        typer.echo("nothing was deleted", err=True)
        raise typer.Exit(ExitCode.FAILED)

    async def delete(records: Records, tenant: Tenant) -> int:
        profile = await records.profiles.get(tenant.id, user)
        if whole:
            kept = await _conversations(records, tenant, user)
            await records.profiles.delete(profile)
            return kept
        await records.profiles.delete_items(profile, found)
        if task is not None and not keys:
            await records.profiles.delete_summary(profile, task)
        return 0

    kept = place.with_tenant(delete)
    if place.json:
        typer.echo(forgotten_json(user, len(found), whole=whole, conversations_kept=kept))
        return
    typer.echo(f"deleted {what}", err=True)
    if kept:
        told = "one conversation is" if kept == 1 else f"{kept:,} conversations are"
        typer.echo(
            f"{told} kept; 'lda memory list --user {user}' lists them, 'lda memory delete' deletes them", err=True
        )


async def _conversations(records: Records, tenant: Tenant, user: str) -> int:
    """How many sessions of a user of this computer stay; what is remembered of others is deleted."""
    from longdoc.app.service.tenant_memories import agent_of, delete_memories
    from longdoc.storage.profile_types import LOCAL_TENANT

    if tenant.name == LOCAL_TENANT:
        return sum(agent_of(tenant, one) is not None for one in await records.memories.list(user=user))
    await delete_memories(records, tenant, user)
    return 0


async def _said(
    records: Records, profile: Profile, task: str, text: str | None, *, locked: bool | None
) -> ProfileSummary:
    """The summary of a user, changed where that is asked for. Raises `NotFoundError`."""
    from longdoc.errors import NotFoundError

    if text is not None:
        _check_task(task)
    said = await records.profiles.summary(profile, task)
    if text is None and said is None:
        raise NotFoundError(
            f"nothing is said of {profile.user!r} for {task!r}; make it with 'lda personalize refresh', or --edit TEXT"
        )
    if said is not None and text is None and locked is None:
        return said
    return await records.profiles.edit_summary(profile, task, text=text, locked=locked)


async def _deleted(records: Records, profile: Profile, task: str) -> None:
    from longdoc.errors import NotFoundError

    if not await records.profiles.delete_summary(profile, task):
        raise NotFoundError(f"nothing is said of {profile.user!r} for {task!r}")


def _check_task(name: str) -> None:
    from longdoc.agents.profile_tasks import find_task, load_tasks
    from longdoc.config import load_settings

    find_task(load_tasks(load_settings().profile_tasks), name)


def _turn(user: str, place: ProfilePlace, *, enabled: bool) -> None:
    from longdoc.cli.output import envelope

    profile = place.with_profile(user, lambda records, profile: records.profiles.enable(profile, enabled=enabled))
    word = "on" if enabled else "off"
    if place.json:
        typer.echo(envelope(f"personalize {word}", "done", user=user, enabled=profile.enabled))
    else:
        typer.echo(f"personalization is {word} for {user}", err=True)


async def _numbers(records: Records, profile: Profile, keys: list[str], task: str | None) -> list[int]:
    """The numbers of the items that are meant. Raises `NotFoundError` where a key names none."""
    from longdoc.errors import NotFoundError

    items = await records.profiles.items(profile, task=task)
    missing = set(keys).difference(item.key for item in items)
    if missing:
        raise NotFoundError(f"there is no item {min(missing)!r} of {profile.user!r}; nothing was deleted")
    if task is not None and not items and await records.profiles.summary(profile, task) is None:
        raise NotFoundError(f"nothing is known of {profile.user!r} for {task!r}")
    return [item.number for item in items if not keys or item.key in keys]


def _confirmed(what: str) -> bool:
    """Whether somebody says yes. Raises `ConfigError` where nobody can be asked."""
    from longdoc.errors import ConfigError

    if not sys.stdin.isatty():
        raise ConfigError(f"{what} would be gone for good; if that is meant, add --yes")
    return typer.confirm(f"Delete {what} for good?", err=True)
