"""Commands of `lda personalize` that look: who there is, what is known and said of a user, and all of it in a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.personalize_options import ProfilePlace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longdoc.agents.profile_tasks import ProfileTask
    from longdoc.app.bootstrap import Records
    from longdoc.cli.personalize_output import ShownProfile, ShownTask
    from longdoc.storage.profile_types import Profile, Tenant

_MODE = 0o600
"""Of a file with all that is known of people: for its owner alone."""


@options.with_fields("place", ProfilePlace)
def show(
    user: Annotated[
        str | None, typer.Argument(help="Name of a user.", metavar="[USER]", show_default="all users")
    ] = None,
    *,
    task: Annotated[
        str | None, typer.Option("--task", help="Of a user: for one task.", show_default="all", metavar="NAME")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--last", min=1, help="Of a user: so many items of a task at most, the newest.")
    ] = None,
    after: Annotated[str, typer.Option("--after", help="Users that come after this name.", metavar="NAME")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many users at most.")] = 100,
    place: ProfilePlace,
) -> None:
    """Show users, or what is known of one: items, summaries, and the items these were made from.

    Long texts are shortened; --json and 'lda personalize export' have all of them.

    Example: lda personalize show ann --task title --last 20
    """
    from longdoc.cli.personalize_output import print_profile, print_users, profile_json, users_json

    if user is None:
        users = place.with_tenant(lambda records, tenant: _users(records, tenant, after, limit))
        more = users[-1].profile.user if len(users) == limit else None
        if place.json:
            typer.echo(users_json(place.tenant, users, more))
        elif users:
            print_users(users)
            if more is not None:
                typer.echo(f"there may be more: --after {more!r}", err=True)
        else:
            typer.echo("no users; take some in with: lda personalize import", err=True)
        return
    shown = place.with_profile(user, lambda records, profile: _profile(records, profile, task))
    if place.json:
        typer.echo(profile_json(place.tenant, shown, last))
    else:
        print_profile(shown, last)


@options.with_fields("place", ProfilePlace)
def export(
    user: Annotated[str | None, typer.Argument(help="Name of a user.", metavar="[USER]")] = None,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="All users of the tenant.")] = False,
    with_summaries: Annotated[bool, typer.Option("--with-summaries", help="What is said of them, too.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write.", show_default="standard output")
    ] = None,
    place: ProfilePlace,
) -> None:
    """Write what is held of a user, or of all, to a file.

    One JSON object a line, as 'lda personalize import' takes them in again.

    Example: lda personalize export ann --with-summaries --out ann.jsonl
    """
    from longdoc.app.profile_export import export_profile, export_tenant
    from longdoc.cli.personalize_output import exported_json
    from longdoc.errors import ConfigError

    if (user is None) is not everybody:
        raise ConfigError("name a user, or say --all")
    lines: list[str] = []

    async def write(records: Records, tenant: Tenant) -> int:
        if user is None:
            found = export_tenant(records, tenant, summaries=with_summaries)
        else:
            profile = await records.profiles.get(tenant.id, user)
            found = export_profile(records, profile, summaries=with_summaries)
        if out is not None:
            return await _written(found, out)
        count = 0
        async with aclosing(found):
            async for line in found:
                count += 1
                if place.json:
                    lines.append(line)
                else:
                    typer.echo(line)
        return count

    count = place.with_tenant(write)
    if place.json:
        typer.echo(exported_json(place.tenant, count, out, lines))
    else:
        typer.echo(f"{count:,} lines written to {out or 'standard output'}", err=True)


async def _written(lines: AsyncGenerator[str, None], out: Path) -> int:
    """Write lines to a file in one piece, one after the other. Raises `ConfigError`."""
    count = 0
    with _whole_file(out) as file:
        async with aclosing(lines):
            async for line in lines:
                file.write(f"{line}\n".encode())
                count += 1
    return count


@contextmanager
def _whole_file(out: Path) -> Generator[IO[bytes], None, None]:
    """A file to write, which takes its name when all of it is written. Raises `ConfigError`."""
    from longdoc.errors import ConfigError

    try:
        with tempfile.NamedTemporaryFile(dir=out.parent, delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(_MODE)
                Path(file.name).replace(out)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}; choose another --out") from error


async def _users(records: Records, tenant: Tenant, after: str, limit: int) -> list[ShownProfile]:
    from longdoc.cli.personalize_output import ShownProfile

    known = _known_tasks()
    profiles = await records.profiles.list(tenant.id, after=after, count=limit)
    return [ShownProfile(profile, await _tasks(records, profile, known)) for profile in profiles]


async def _profile(records: Records, profile: Profile, task: str | None) -> ShownProfile:
    from longdoc.cli.personalize_output import ShownProfile
    from longdoc.errors import NotFoundError

    tasks = [one for one in await _tasks(records, profile, _known_tasks()) if task is None or one.name == task]
    if task is not None and not tasks:
        raise NotFoundError(f"nothing is known of {profile.user!r} for {task!r}")
    items = [await records.profiles.items(profile, task=one.name) for one in tasks]
    return ShownProfile(profile, [replace(one, items=some) for one, some in zip(tasks, items, strict=True)])


def _known_tasks() -> Mapping[str, ProfileTask]:
    from longdoc.agents.profile_tasks import load_tasks
    from longdoc.config import load_settings

    return load_tasks(load_settings().profile_tasks)


async def _tasks(records: Records, profile: Profile, known: Mapping[str, ProfileTask]) -> list[ShownTask]:
    """The tasks that a user has items or a summary for, without the items."""
    from longdoc.app.personalize import state_is_stale
    from longdoc.cli.personalize_output import ShownTask

    states = (await records.profiles.states(profile.tenant_id, user=profile.user)).states
    shown: dict[str, ShownTask] = {}
    for state in states:
        task = known.get(state.task)
        stale = task is not None and state_is_stale(task, state)
        shown[state.task] = ShownTask(state.task, state.items, state.summary, stale=stale)
    for summary in await records.profiles.summaries(profile):  # a person may have said one where there are no items
        shown.setdefault(summary.task, ShownTask(summary.task, 0, summary, stale=False))
    return list(shown.values())
