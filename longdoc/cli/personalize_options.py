"""Whose profiles, in which record, with which engine: options that the commands of `lda personalize` share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.storage.profile_types import Profile, Tenant

T = TypeVar("T")

User: TypeAlias = Annotated[str, typer.Argument(help="Name of the user.", metavar="USER")]
Tenant_: TypeAlias = Annotated[str, typer.Option("--tenant", help="Of which tenant the users are.")]
_LOCAL = "local"


@dataclass(frozen=True, slots=True)
class ProfilePlace:
    """In which record users are, and how what is found or done there is told."""

    tenant: Tenant_ = _LOCAL
    json: options.Json = False
    database: options.Database = None

    def with_tenant(self, work: Callable[[Records, Tenant], Awaitable[T]]) -> T:
        """Do something with users. Raises `NotFoundError` where there is no such tenant."""
        from longdoc.cli.record import with_records

        async def found(records: Records) -> T:
            return await work(records, await find_tenant(records, self.tenant))

        return asyncio.run(with_records(self.database, found))

    def with_profile(self, user: str, work: Callable[[Records, Profile], Awaitable[T]]) -> T:
        """Do something with a user. Raises `NotFoundError`."""

        async def found(records: Records, tenant: Tenant) -> T:
            return await work(records, await records.profiles.get(tenant.id, user))

        return self.with_tenant(found)


@dataclass(frozen=True, slots=True)
class ProfileCalls:
    """What commands that make calls for users can be told."""

    tenant: Tenant_ = _LOCAL
    json: options.Json = False
    quiet: options.Quiet = False
    max_calls: options.MaxCalls = None
    max_tokens_total: options.MaxTokens = None
    max_cost: options.MaxCost = None
    engine: options.Engine = None
    model: options.Model = None
    base_url: options.BaseUrl = None
    concurrency: options.Concurrency = None
    database: options.Database = None

    def run(self) -> options.RunOptions:
        """The same as other commands have it."""
        return options.RunOptions(
            json=self.json,
            quiet=self.quiet,
            max_calls=self.max_calls,
            max_tokens_total=self.max_tokens_total,
            max_cost=self.max_cost,
            engine=self.engine,
            model=self.model,
            base_url=self.base_url,
            concurrency=self.concurrency,
            database=self.database,
        )


async def find_tenant(records: Records, name: str) -> Tenant:
    """The tenant of that name; the one of this computer is always there. Raises `NotFoundError`."""
    from longdoc.errors import NotFoundError
    from longdoc.storage.profile_types import LOCAL_TENANT

    found = await records.profiles.find_tenant(name)
    if found is None and name == LOCAL_TENANT:
        return await records.profiles.tenant(name)
    if found is None:
        raise NotFoundError(f"there is no tenant {name!r}; an import makes one")
    return found
