"""`lda keys`: keys of the service, made, looked at, changed for new ones, and ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.json_value import JsonValue
    from longdoc.storage.api_keys import ApiKey, Scope

app = typer.Typer(help="Keys of the service: create, list, rotate, revoke.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.", metavar="NAME")],
    *,
    tenant: Annotated[
        str, typer.Option("--tenant", help="Whose users it reaches; one that is not there is made.")
    ] = "local",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            help="read, write, personalize, or admin (all of them); can be given again.",
            show_default="read, write, personalize",
        ),
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option("--per-minute", min=1, help="Requests a minute.", show_default="any number")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=36_500, help="Days until it ends.", show_default="never")
    ] = None,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """Make a key, and print it: it cannot be shown again.

    Example: lda keys create shop --tenant acme --per-minute 600
    """
    from datetime import timedelta

    from longdoc.cli.record import with_records
    from longdoc.storage.api_keys import NewKey

    lasts = None if days is None else timedelta(days=days)
    new = NewKey(name, tenant, _scopes(scope), per_minute, lasts)
    key, secret = asyncio.run(with_records(database, lambda records: records.api_keys.create(new)))
    _print_secret("keys create", key, secret, json=json)


@app.command("list")
def list_keys(json: options.Json = False, database: options.Database = None) -> None:
    """Show all keys, as far as they can be shown: which tenant each reaches, for what, and until when."""
    from longdoc.cli.output import envelope
    from longdoc.cli.record import with_records
    from longdoc.cli.render import table

    found = asyncio.run(with_records(database, lambda records: records.api_keys.list()))
    if json:
        typer.echo(envelope("keys list", "done", keys=[_json(key) for key in found]))
        return
    columns = ("id", "name", "tenant", "scopes", "per minute", "made", "ends", "state")
    table(columns, [_row(key) for key in found])


@app.command("revoke")
def revoke(
    id_: Annotated[str, typer.Argument(help="Id of the key, as 'lda keys list' shows it.", metavar="ID")],
    *,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """End a key. Services that run hear of it within seconds.

    Example: lda keys revoke key_1f0c6b2a9d3e4c55
    """
    from longdoc.cli.output import envelope
    from longdoc.cli.record import with_records

    key = asyncio.run(with_records(database, lambda records: records.api_keys.revoke(id_)))
    if json:
        typer.echo(envelope("keys revoke", "done", key=_json(key)))
    else:
        typer.echo(f"{key.id} ({key.name}) can be used no more", err=True)


@app.command("rotate")
def rotate(
    id_: Annotated[str, typer.Argument(help="Id of the key, as 'lda keys list' shows it.", metavar="ID")],
    *,
    grace_hours: Annotated[
        int, typer.Option("--grace-hours", min=0, max=8_760, help="Hours that the old one can still be used.")
    ] = 24,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """Make a key that may do what another may; the other one ends after some hours.

    Example: lda keys rotate key_1f0c6b2a9d3e4c55 --grace-hours 1
    """
    from datetime import timedelta

    from longdoc.cli.record import with_records

    grace = timedelta(hours=grace_hours)
    key, secret = asyncio.run(with_records(database, lambda records: records.api_keys.rotate(id_, grace=grace)))
    _print_secret("keys rotate", key, secret, json=json)


def _scopes(names: list[str] | None) -> frozenset[Scope]:
    """The scopes of these names. Raises `ConfigError`."""
    from longdoc.errors import ConfigError
    from longdoc.storage.api_keys import Scope

    if not names:
        return frozenset({Scope.READ, Scope.WRITE, Scope.PERSONALIZE})
    unknown = [name for name in names if name not in set(Scope)]
    if unknown:
        raise ConfigError(f"there is no scope {unknown[0]!r}; choose from: {', '.join(Scope)}")
    return frozenset(map(Scope, names))


def _print_secret(command: str, key: ApiKey, secret: str, *, json: bool) -> None:
    from longdoc.cli.output import envelope

    if json:
        typer.echo(envelope(command, "done", key=_json(key), secret=secret))
        return
    typer.echo(secret)
    typer.echo(f"{key.id} of tenant {key.tenant.name}; keep the key: it cannot be shown again", err=True)


def _json(key: ApiKey) -> JsonValue:
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant.name,
        "scopes": [*sorted(key.scopes)],
        "per_minute": key.per_minute,
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "state": _state(key),
    }


def _row(key: ApiKey) -> tuple[str, ...]:
    ends = "" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d %H:%M}"
    limit = "" if key.per_minute is None else f"{key.per_minute:,}"
    scopes = ", ".join(sorted(key.scopes))
    return key.id, key.name, key.tenant.name, scopes, limit, f"{key.created_at:%Y-%m-%d %H:%M}", ends, _state(key)


def _state(key: ApiKey) -> str:
    from longdoc.storage.clock import utc_now

    if key.revoked_at is not None:
        return "revoked"
    return "valid" if key.valid(utc_now()) else "ended"
