"""Whose memories and which of them: options that the commands of `lda memory` share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.storage.memory_types import MemoryFilter, NamespaceName

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
        since = moment_of("--since", self.since)
        until = moment_of("--until", self.until, of_day=timedelta(days=1))
        if since is not None and until is not None and since >= until:
            raise ConfigError("--since is later than --until; name the earlier one first")
        return MemoryFilter(frozenset(map(MemoryKind, self.kind)) if self.kind else None, since, until)


def moment_of(option: str, text: str | None, *, of_day: timedelta = timedelta(0)) -> datetime | None:
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
