"""Options that the commands of `lda write` share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.storage.draft_types import Draft

T = TypeVar("T")

Name: TypeAlias = Annotated[str, typer.Argument(help="Name of the draft; 'lda write list' shows all.", metavar="NAME")]
Number: TypeAlias = Annotated[int, typer.Argument(min=1, help="Number of the section in the plan.", metavar="N")]
Numbers: TypeAlias = Annotated[
    list[int], typer.Argument(min=1, help="Numbers of sections in the plan.", metavar="N ...")
]


@dataclass(frozen=True, slots=True)
class DraftPlace:
    """In which record a draft is, and how what was done is told."""

    json: options.Json = False
    database: options.Database = None

    def with_records(self, work: Callable[[Records], Awaitable[T]]) -> T:
        """Do something with the record."""
        from longdoc.cli.record import with_records

        return asyncio.run(with_records(self.database, work))

    def with_draft(self, name: str, work: Callable[[Records, Draft], Awaitable[T]]) -> T:
        """Do something with a draft. Raises `NotFoundError`."""

        async def found(records: Records) -> T:
            return await work(records, await records.drafts.get(name))

        return self.with_records(found)
