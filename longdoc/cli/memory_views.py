"""Commands of `lda memory` that look: what is remembered, session by session, found, and carried away."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.memory_lines import STANDARD, write_lines
from longdoc.cli.memory_lookup import LISTED, find_memory, find_namespace, with_session
from longdoc.cli.memory_options import Meant, Number, Place, Session

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Library, Records
    from longdoc.cli.exits import ExitCode
    from longdoc.storage.memory_types import Memory, MemoryFilter, Namespace


def list_namespaces(
    user: Annotated[str | None, typer.Option("--user", help="Those of one user.", show_default="all")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="Those with one agent.", show_default="all")] = None,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """List whose memories there are, by user, agent and session.

    The number of memories includes those that were erased.

    Example: lda memory list --user me
    """
    from longdoc.cli.memory_output import namespaces_json, print_namespaces
    from longdoc.cli.record import with_records

    rows = asyncio.run(with_records(database, lambda records: records.memories.list(user=user, agent=agent)))
    if json:
        typer.echo(namespaces_json(rows))
    elif rows:
        print_namespaces(rows)
    elif user is None and agent is None:
        typer.echo("no memories yet; start with: lda chat", err=True)
    else:
        typer.echo(f"no memories of these; {LISTED}", err=True)


@options.with_fields("place", Place)
@options.with_fields("meant", Meant)
def show_memories(
    session: Annotated[str, typer.Argument(help="Name of the session.", metavar="[SESSION]")] = "main",
    *,
    last: Annotated[int | None, typer.Option("--last", min=1, help="So many at most, the last ones.")] = None,
    meant: Meant,
    place: Place,
) -> None:
    """Show memories in their order.

    Long ones are shortened; --json and 'lda memory export' have all they say.

    Example: lda memory show project-x --last 20 --since 2026-01-31
    """
    from longdoc.cli.memory_output import print_memories, shown_json

    wanted = meant.filter()

    async def newest(records: Records, namespace: Namespace) -> list[Memory]:
        return await records.memories.newest(namespace.id, last, meant=wanted)

    memories = with_session(place, session, newest)[::-1]
    if place.json:
        typer.echo(shown_json(place.name(session), memories))
    elif memories:
        print_memories(memories)
    else:
        typer.echo("nothing like that is remembered", err=True)


@options.with_fields("place", Place)
@options.with_fields("meant", Meant)
def search_memories(
    text: Annotated[str, typer.Argument(help="What to search for.", metavar="TEXT")],
    *,
    session: Session = "main",
    k: Annotated[int, typer.Option("-k", min=1, help="So many at most, the nearest ones.")] = 10,
    quiet: options.Quiet = False,
    meant: Meant,
    place: Place,
) -> None:
    """Find memories by their words and their meaning, the nearest first.

    Example: lda memory search "Where do I live?" -k 3
    """
    from longdoc.cli.session import run_library_session
    from longdoc.config import load_settings
    from longdoc.errors import ConfigError

    if not text.strip():
        raise ConfigError('say what to search for: lda memory search "Where do I live?"')
    search = _Search(text, k, meant.filter(), place, session, quiet=quiet)
    raise typer.Exit(run_library_session(load_settings({"database": place.database}), search.run, quiet=quiet))


@options.with_fields("place", Place)
def show_history(number: Number, *, session: Session = "main", place: Place) -> None:
    """Show what a memory said before it was edited, the oldest first.

    Example: lda memory history 12
    """
    from longdoc.cli.memory_output import history_json, print_revisions
    from longdoc.storage.memory_types import Revision

    async def history(records: Records, namespace: Namespace) -> tuple[Memory, list[Revision]]:
        memory = await find_memory(records, namespace, number)
        return memory, await records.memories.history(namespace.id, number)

    memory, revisions = with_session(place, session, history)
    if place.json:
        typer.echo(history_json(memory, revisions))
    elif revisions:
        print_revisions(revisions)
    else:
        typer.echo(f"memory {number} was never edited", err=True)


@options.with_fields("place", Place)
def export_memories(
    file: Annotated[
        str | None, typer.Argument(help="File to write; standard output if not given.", metavar="FILE")
    ] = None,
    *,
    session: Session = "main",
    place: Place,
) -> None:
    """Write all memories of a session to a file.

    One JSON object a line, as 'lda memory import' reads them.

    Example: lda memory export memories.jsonl --session project-x
    """
    from longdoc.app.memory_files import export_lines
    from longdoc.cli.memory_output import exported_json

    file = None if file == STANDARD else file
    lines = with_session(place, session, export_lines)
    if file is not None:
        write_lines(lines, file)
    if place.json:
        typer.echo(exported_json(lines, file))
        return
    if file is None:
        for line in lines:
            typer.echo(line)
    typer.echo(f"{len(lines)} written to {file or 'standard output'}", err=True)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search as it was asked for."""

    text: str
    k: int
    meant: MemoryFilter
    place: Place
    session: str
    quiet: bool

    async def run(self, library: Library) -> ExitCode:
        """Search and show. Raises `NotFoundError`, before any embedder is opened."""
        from longdoc.app.memory_access import open_memory_index
        from longdoc.cli.exits import ExitCode
        from longdoc.cli.memory_output import found_json, print_found
        from longdoc.cli.run_view import RunView

        namespace = await find_namespace(library.records, self.place.name(self.session))
        with RunView(str(namespace.name), quiet=self.quiet) as view:
            async with aclosing(await open_memory_index(library, namespace, emit=view.emit)) as index:
                found = await index.search(self.text, k=self.k, meant=self.meant)
        stored = await library.records.memories.get(namespace.id, [one.number for one in found])
        by_number = {one.number: one for one in stored}
        nearest = [(by_number[one.number], one) for one in found if one.number in by_number]
        if self.place.json:
            typer.echo(found_json(namespace.name, self.text, nearest))
        elif nearest:
            print_found(nearest)
        else:
            typer.echo("nothing like that is remembered", err=True)
        return ExitCode.DONE
