"""Users in the Python face: what they made, what is said of them, and requests that are answered for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from longdoc.agents.profile_context import ProfileContext
from longdoc.agents.profile_tasks import ProfileTask, find_task
from longdoc.app.api_keywords import PersonalKeywords
from longdoc.app.bootstrap import Workspace
from longdoc.app.loop_thread import LoopThread
from longdoc.app.personalize import NEEDS_EMBEDDER, Personalized, PersonalRequest, personal_context, personalize
from longdoc.app.profile_refresh import RefreshOptions, RefreshReport, refresh
from longdoc.storage.profile_types import Item, NewItem, Profile, ProfileSummary, Stored, Tenant
from longdoc.storage.profiles import Profiles


@dataclass(frozen=True, slots=True)
class AsyncUser:
    """A user. Requests take the fields of `PersonalRequest` by name (`take`, `summary`, `ranked`, `budget`, …).

    ```python
    from longdoc import NewItem

    ann = await lda.user("ann")
    await ann.put([NewItem("title", "1", "How we moved the office", "Fix: the office")])
    await ann.refresh()
    print((await ann.ask("How we hired", task="title")).text)
    ```
    """

    workspace: Workspace
    tenant: Tenant
    profile: Profile
    tasks: Mapping[str, ProfileTask]

    async def put(self, items: Sequence[NewItem]) -> list[Stored]:
        """See `Profiles.put`."""
        return await self._profiles.put(self.tenant.id, [(self.profile.user, item) for item in items])

    async def items(self, task: str | None = None) -> list[Item]:
        """The items there are, the oldest first."""
        return await self._profiles.items(self.profile, task=task)

    async def refresh(self, *tasks: str, force: bool = False) -> RefreshReport:
        """Make the summaries that are missing or out of date. Raises as `refresh` does."""
        options = RefreshOptions(self.profile.user, tasks, force=force)
        return await refresh(self.workspace, self.tenant, self.tasks, options, emit=_ignore)

    async def summary(self, task: str) -> ProfileSummary | None:
        """What is said of the user for a task."""
        return await self._profiles.summary(self.profile, task)

    async def context(self, text: str, *, task: str, **options: Unpack[PersonalKeywords]) -> ProfileContext:
        """What of the user stands before a request, to be put before any model. Raises `ConfigError`."""
        request = PersonalRequest(find_task(self.tasks, task), text, **options)
        profile = await self._profiles.find(self.tenant.id, self.profile.user)
        embedder = self.workspace.embedder if request.ranked in NEEDS_EMBEDDER else None
        return await personal_context(
            self.workspace.records, profile, request, embedder=embedder, engine=self.workspace.engine
        )

    async def ask(self, text: str, *, task: str, **options: Unpack[PersonalKeywords]) -> Personalized:
        """The answer to a request for the user. Raises `ConfigError`, what the engine raises, and `NotFoundError` for
        a user that was forgotten."""
        request = PersonalRequest(find_task(self.tasks, task), text, **options)
        return await personalize(self.workspace, self.tenant, self.profile.user, request, emit=_ignore, make=False)

    async def forget(self) -> None:
        """Delete the user with all that is known and was made of it."""
        await self._profiles.delete(self.profile)

    @property
    def _profiles(self) -> Profiles:
        return self.workspace.records.profiles


class User:
    """A user for programs without a loop: see `AsyncUser`."""

    def __init__(self, inner: AsyncUser, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    def put(self, items: Sequence[NewItem]) -> list[Stored]:
        """See `AsyncUser.put`."""
        return self._loop.run(self._inner.put(items))

    def items(self, task: str | None = None) -> list[Item]:
        """See `AsyncUser.items`."""
        return self._loop.run(self._inner.items(task))

    def refresh(self, *tasks: str, force: bool = False) -> RefreshReport:
        """See `AsyncUser.refresh`."""
        return self._loop.run(self._inner.refresh(*tasks, force=force))

    def summary(self, task: str) -> ProfileSummary | None:
        """See `AsyncUser.summary`."""
        return self._loop.run(self._inner.summary(task))

    def context(self, text: str, *, task: str, **options: Unpack[PersonalKeywords]) -> ProfileContext:
        """See `AsyncUser.context`."""
        return self._loop.run(self._inner.context(text, task=task, **options))

    def ask(self, text: str, *, task: str, **options: Unpack[PersonalKeywords]) -> Personalized:
        """See `AsyncUser.ask`."""
        return self._loop.run(self._inner.ask(text, task=task, **options))

    def forget(self) -> None:
        """See `AsyncUser.forget`."""
        self._loop.run(self._inner.forget())


def _ignore(told: object) -> None:
    del told
