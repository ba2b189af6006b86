"""Commands of `lda memory` that change: memories are edited, erased and taken in, sessions deleted."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.memory_lines import name_of, read_text
from longdoc.cli.memory_lookup import check_number, find_memory, find_namespace, with_session
from longdoc.cli.memory_options import Number, Place, Session

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.storage.memory_types import Memory, Namespace


@options.with_fields("place", Place)
def edit_memory(
    number: Number,
    *,
    said: Annotated[str | None, typer.Option("--said", help="What was said, instead of what stands there.")] = None,
    answered: Annotated[str | None, typer.Option("--answered", help="What was answered, in the same way.")] = None,
    session: Session = "main",
    place: Place,
) -> None:
    """Let a memory say something else.

    What it said before stays in its history.

    Example: lda memory edit 12 --said "I live in Bergen."
    """
    from longdoc.cli.memory_output import edited_json
    from longdoc.errors import ConfigError

    if said is None and answered is None:
        raise ConfigError("say what it is to say: --said TEXT, --answered TEXT, or both")

    async def edit(records: Records, namespace: Namespace) -> tuple[Memory, Memory]:
        before = await find_memory(records, namespace, number)
        _check_edit(before, said, answered)
        return before, await records.memories.edit(namespace.id, number, observation=said, response=answered)

    before, after = with_session(place, session, edit)
    changed = before.change != after.change
    if place.json:
        typer.echo(edited_json(after, changed=changed))
    else:
        typer.echo(f"memory {number} {'is changed' if changed else 'says that already'}", err=True)


@options.with_fields("place", Place)
def forget_memories(
    numbers: Annotated[
        list[int], typer.Argument(min=1, help="Numbers of memories, as 'lda memory show' has them.", metavar="N ...")
    ],
    *,
    session: Session = "main",
    place: Place,
) -> None:
    """Erase memories, with all that was made from them.

    This cannot be taken back.

    Example: lda memory forget 3 4
    """
    from longdoc.app.memory_access import erase_memories
    from longdoc.cli.memory_output import forgotten_json

    async def forget(records: Records, namespace: Namespace) -> int:
        for number in numbers:
            check_number(namespace, number)
        return await erase_memories(records, namespace, numbers)

    erased = with_session(place, session, forget)
    if place.json:
        typer.echo(forgotten_json(numbers, erased))
    else:
        typer.echo(f"{erased} erased", err=True)


@options.with_fields("place", Place)
def import_memories(
    file: Annotated[str, typer.Argument(help="File to read; - is standard input.", metavar="FILE")],
    *,
    session: Session = "main",
    expires_in: Annotated[
        int | None,
        typer.Option(
            "--expires-in",
            min=1,
            max=36_500,
            help="Erase them after so many days, whatever the file says.",
            show_default="as the file says",
            metavar="DAYS",
        ),
    ] = None,
    place: Place,
) -> None:
    """Store the memories of a file.

    One JSON object a line, with an 'observation' (what was said), a 'response' or both; 'lda memory export' shows what
    else. A memory whose 'key' is there already is not stored again. Where a line cannot be used, nothing is stored.

    Example: lda memory import notes.jsonl --expires-in 30
    """
    from longdoc.app.memory_files import import_memories, read_lines
    from longdoc.cli.memory_output import imported_json
    from longdoc.cli.record import with_records
    from longdoc.errors import ConfigError

    lines = [line for line in read_text(file).split("\n") if line.strip()]
    if not lines:
        raise ConfigError(f"{name_of(file)} holds no memories; write them as 'lda memory export' does")
    expires_at = None if expires_in is None else datetime.now(UTC) + timedelta(days=expires_in)

    try:
        new = read_lines(lines, expires_at=expires_at)
    except ConfigError as error:
        raise ConfigError(f"{name_of(file)}: {error}; nothing was stored") from error

    async def store(records: Records) -> int:
        return await import_memories(records, await records.memories.open(place.name(session)), new)

    stored = asyncio.run(with_records(place.database, store))
    if place.json:
        typer.echo(imported_json(place.name(session), given=len(lines), stored=stored))
    else:
        typer.echo(f"{stored} stored, {len(lines) - stored} there already", err=True)


@options.with_fields("place", Place)
def delete_session(
    session: Annotated[str, typer.Argument(help="Name of the session.", metavar="SESSION")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    place: Place,
) -> None:
    """Delete a session with all its memories, and all that was made from them.

    This cannot be taken back.

    Example: lda memory delete project-x
    """
    from longdoc.app.memory_access import delete_namespace
    from longdoc.cli.exits import ExitCode
    from longdoc.cli.memory_output import deleted_json
    from longdoc.cli.record import with_records

    name = place.name(session)
    found = asyncio.run(with_records(place.database, lambda records: find_namespace(records, name)))
    if not yes and not _confirmed(found):
        typer.echo("nothing was deleted", err=True)
        raise typer.Exit(ExitCode.FAILED)
    asyncio.run(with_records(place.database, lambda records: delete_namespace(records, name)))
    if place.json:
        typer.echo(deleted_json(found))
    else:
        typer.echo(f"deleted {name}", err=True)


def _check_edit(memory: Memory, said: str | None, answered: str | None) -> None:
    from longdoc.errors import ConfigError

    if not memory.status.remembered:
        raise ConfigError(f"memory {memory.number} has no answer yet; 'lda chat' answers it (/retry)")
    after = (memory.observation if said is None else said) + (memory.response if answered is None else answered)
    if not after.strip():
        raise ConfigError(f"nothing would be left of it; to erase it: lda memory forget {memory.number}")


def _confirmed(namespace: Namespace) -> bool:
    """Whether somebody says yes. Raises `ConfigError` where nobody can be asked."""
    from longdoc.errors import ConfigError

    if not sys.stdin.isatty():
        raise ConfigError(f"all memories of {namespace.name} would be gone for good; if that is meant, add --yes")
    return typer.confirm(f"Delete {namespace.name} with its {namespace.memories} memories for good?", err=True)
