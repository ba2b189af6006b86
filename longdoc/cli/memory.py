"""`lda memory`: what is remembered, session by session: looked at, found, changed, carried away and taken out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Library, Records
    from longdoc.cli.exits import ExitCode
    from longdoc.storage.memory_types import Memory, MemoryFilter, Namespace, NamespaceName

T = TypeVar("T")

app = typer.Typer(help="Memories: list, look, search, edit, forget, export, import.", no_args_is_help=True)

_STANDARD = "-"
_LISTED = "'lda memory list' shows whose there are"
_NUMBERED = "'lda memory show' has their numbers"

Session: TypeAlias = Annotated[str, typer.Option("--session", help="Name of the session.")]
Number: TypeAlias = Annotated[
    int, typer.Argument(min=1, help="Number of the memory, as 'lda memory show' has it.", metavar="N")
]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose memories, in which record, and how what is found there is told."""

    user: Annotated[str, typer.Option("--user", help="Whose memories.")] = "me"
    agent: Annotated[str, typer.Option("--agent", help="With which agent.")] = "default"
    json: options.Json = False
    database: options.Database = None

    def name(self, session: str) -> NamespaceName:
        """The namespace of a session."""
        from longdoc.storage.memory_types import NamespaceName

        return NamespaceName(self.user, self.agent, session)


@dataclass(frozen=True, slots=True)
class Meant:
    """Which memories of a session are meant."""

    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="turn, document, import or fact; can be given again.", show_default="all"),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="Said on this day or later (UTC): 2026-01-31, or 2026-01-31T18:00.", metavar="DATE"
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option("--until", help="Said on this day, or before this moment, or earlier (UTC).", metavar="DATE"),
    ] = None

    def filter(self) -> MemoryFilter:
        """The same for the record. Raises `ConfigError`."""
        from longdoc.errors import ConfigError
        from longdoc.storage.memory_types import MemoryFilter, MemoryKind

        for kind in self.kind or ():
            if kind not in set(MemoryKind):
                raise ConfigError(f"there is no kind {kind!r}; choose one of: {', '.join(MemoryKind)}")
        since = _moment("--since", self.since, of_day=timedelta(0))
        until = _moment("--until", self.until, of_day=timedelta(days=1))
        if since is not None and until is not None and since >= until:
            raise ConfigError("--since is later than --until; name the earlier one first")
        return MemoryFilter(frozenset(map(MemoryKind, self.kind)) if self.kind else None, since, until)


@app.command("list")
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
        typer.echo(f"no memories of these; {_LISTED}", err=True)


@app.command("show")
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

    memories = _with_session(place, session, newest)[::-1]
    if place.json:
        typer.echo(shown_json(place.name(session), memories))
    elif memories:
        print_memories(memories)
    else:
        typer.echo("nothing like that is remembered", err=True)


@app.command("search")
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


@app.command("edit")
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
        before = await _memory(records, namespace, number)
        _check_edit(before, said, answered)
        return before, await records.memories.edit(namespace.id, number, observation=said, response=answered)

    before, after = _with_session(place, session, edit)
    changed = before.change != after.change
    if place.json:
        typer.echo(edited_json(after, changed=changed))
    else:
        typer.echo(f"memory {number} {'is changed' if changed else 'says that already'}", err=True)


@app.command("history")
@options.with_fields("place", Place)
def show_history(number: Number, *, session: Session = "main", place: Place) -> None:
    """Show what a memory said before it was edited, the oldest first.

    Example: lda memory history 12
    """
    from longdoc.cli.memory_output import history_json, print_revisions
    from longdoc.storage.memory_types import Revision

    async def history(records: Records, namespace: Namespace) -> tuple[Memory, list[Revision]]:
        memory = await _memory(records, namespace, number)
        return memory, await records.memories.history(namespace.id, number)

    memory, revisions = _with_session(place, session, history)
    if place.json:
        typer.echo(history_json(memory, revisions))
    elif revisions:
        print_revisions(revisions)
    else:
        typer.echo(f"memory {number} was never edited", err=True)


@app.command("forget")
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
            _check_number(namespace, number)
        return await erase_memories(records, namespace, numbers)

    erased = _with_session(place, session, forget)
    if place.json:
        typer.echo(forgotten_json(numbers, erased))
    else:
        typer.echo(f"{erased} erased", err=True)


@app.command("export")
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

    file = None if file == _STANDARD else file
    lines = _with_session(place, session, export_lines)
    if file is not None:
        _write(lines, file)
    if place.json:
        typer.echo(exported_json(lines, file))
        return
    if file is None:
        for line in lines:
            typer.echo(line)
    typer.echo(f"{len(lines)} written to {file or 'standard output'}", err=True)


@app.command("import")
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

    lines = [line for line in _read(file).split("\n") if line.strip()]
    if not lines:
        raise ConfigError(f"{_named(file)} holds no memories; write them as 'lda memory export' does")
    expires_at = None if expires_in is None else datetime.now(UTC) + timedelta(days=expires_in)

    try:
        new = read_lines(lines, expires_at=expires_at)
    except ConfigError as error:
        raise ConfigError(f"{_named(file)}: {error}; nothing was stored") from error

    async def store(records: Records) -> int:
        return await import_memories(records, await records.memories.open(place.name(session)), new)

    stored = asyncio.run(with_records(place.database, store))
    if place.json:
        typer.echo(imported_json(place.name(session), given=len(lines), stored=stored))
    else:
        typer.echo(f"{stored} stored, {len(lines) - stored} there already", err=True)


@app.command("delete")
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
    found = asyncio.run(with_records(place.database, lambda records: _found(records, name)))
    if not yes and not _confirmed(found):
        typer.echo("nothing was deleted", err=True)
        raise typer.Exit(ExitCode.FAILED)
    asyncio.run(with_records(place.database, lambda records: delete_namespace(records, name)))
    if place.json:
        typer.echo(deleted_json(found))
    else:
        typer.echo(f"deleted {name}", err=True)


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

        namespace = await _found(library.records, self.place.name(self.session))
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


def _with_session(place: Place, session: str, work: Callable[[Records, Namespace], Awaitable[T]]) -> T:
    """Do something with the memories of a session. Raises `NotFoundError` where there is none of that name."""
    from longdoc.cli.record import with_records

    async def with_found(records: Records) -> T:
        return await work(records, await _found(records, place.name(session)))

    return asyncio.run(with_records(place.database, with_found))


async def _found(records: Records, name: NamespaceName) -> Namespace:
    """The namespace of that name, rid of memories whose time is over. Raises `NotFoundError`."""
    from longdoc.app.memory_access import erase_expired
    from longdoc.errors import NotFoundError

    await erase_expired(records)
    found = await records.memories.find(name)
    if found is None:
        raise NotFoundError(f"there are no memories of {name}; {_LISTED}")
    return found


async def _memory(records: Records, namespace: Namespace, number: int) -> Memory:
    """The memory of that number. Raises `NotFoundError` where it never was, or is erased."""
    from longdoc.errors import NotFoundError
    from longdoc.storage.memory_types import MemoryStatus

    _check_number(namespace, number)
    found = await records.memories.get(namespace.id, [number])
    if not found or found[0].status is MemoryStatus.ERASED:
        raise NotFoundError(f"memory {number} of {namespace.name} was erased; {_NUMBERED}")
    return found[0]


def _check_number(namespace: Namespace, number: int) -> None:
    from longdoc.errors import NotFoundError

    if number > namespace.memories:
        raise NotFoundError(f"there is no memory {number} of {namespace.name}; {_NUMBERED}")


def _check_edit(memory: Memory, said: str | None, answered: str | None) -> None:
    from longdoc.errors import ConfigError

    if not memory.status.remembered:
        raise ConfigError(f"memory {memory.number} has no answer yet; 'lda chat' answers it (/retry)")
    after = (memory.observation if said is None else said) + (memory.response if answered is None else answered)
    if not after.strip():
        raise ConfigError(f"nothing would be left of it; to erase it: lda memory forget {memory.number}")


def _moment(option: str, text: str | None, *, of_day: timedelta) -> datetime | None:
    """A moment in UTC; where a day alone is named, that much after it begins. Raises `ConfigError`."""
    from longdoc.errors import ConfigError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment + of_day if _is_day(text) else moment
    except (ValueError, OverflowError) as error:
        example = f"{option} 2026-01-31, or {option} 2026-01-31T18:00"
        raise ConfigError(f"{text!r} is no date; write it as {example}") from error


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read(file: str) -> str:
    """What stands in a file, or on standard input. Raises `ConfigError`."""
    from longdoc.errors import ConfigError

    try:
        data = sys.stdin.buffer.read() if file == _STANDARD else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{_named(file)} is no text in UTF-8; convert it, or name another file") from error
    except OSError as error:
        raise ConfigError(f"{_named(file)} cannot be read: {error.strerror}; name another file") from error


def _named(file: str) -> str:
    return "standard input" if file == _STANDARD else file or "a file without a name"


def _write(lines: Iterable[str], file: str) -> None:
    """Write lines to a file. Raises `ConfigError`."""
    from longdoc.cli.output import write_file
    from longdoc.errors import ConfigError

    try:
        write_file("\n".join(lines), Path(file))
    except ConfigError as error:
        reason = str(error).removesuffix("; choose another --out")
        raise ConfigError(f"{reason}; choose another file") from error


def _confirmed(namespace: Namespace) -> bool:
    """Whether somebody says yes. Raises `ConfigError` where nobody can be asked."""
    from longdoc.errors import ConfigError

    if not sys.stdin.isatty():
        raise ConfigError(f"all memories of {namespace.name} would be gone for good; if that is meant, add --yes")
    return typer.confirm(f"Delete {namespace.name} with its {namespace.memories} memories for good?", err=True)
