"""What replies hold. Plain dataclasses: they are described in the API's schema, and written without being checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from longdoc.agents.profile_context import ProfileContext
from longdoc.app.personalize import Personalized
from longdoc.storage.memory_types import Memory, Namespace, Revision
from longdoc.storage.profile_types import Item, Profile, ProfileSummary, Stored
from longdoc.storage.service_jobs import Job, JobStatus


@dataclass(frozen=True, slots=True)
class UserView:
    """A user."""

    user: str
    enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """The view of a user."""
        return cls(profile.user, profile.enabled, profile.created_at)


@dataclass(frozen=True, slots=True)
class UsersView:
    """Some users by name; `next` is what to go on after, null where there are no more."""

    users: list[UserView]
    next: str | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item."""

    number: int
    task: str
    key: str
    text: str
    output: str | None
    at: datetime | None
    source: str
    recorded_at: datetime

    @classmethod
    def of(cls, item: Item) -> Self:
        """The view of an item."""
        return cls(item.number, item.task, item.key, item.text, item.output, item.at, item.source, item.recorded_at)


@dataclass(frozen=True, slots=True)
class ItemsView:
    """Some items by number; `next` is what to go on after, null where there are no more."""

    items: list[ItemView]
    next: int | None


@dataclass(frozen=True, slots=True)
class StoredView:
    """What became of items that were put, in their order, and how many of each."""

    added: int
    changed: int
    same: int
    items: list[Stored]

    @classmethod
    def of(cls, stored: Sequence[Stored]) -> Self:
        """The view of what became of items."""
        counts = Counter(stored)
        return cls(counts[Stored.ADDED], counts[Stored.CHANGED], counts[Stored.SAME], list(stored))


@dataclass(frozen=True, slots=True)
class SummaryView:
    """What is said of a user for a task: `items` are the numbers of those that it was made from."""

    task: str
    text: str
    counted: Mapping[str, object]
    items: Sequence[int]
    items_seen: int
    locked: bool
    edited: bool
    model: str
    made_at: datetime

    @classmethod
    def of(cls, one: ProfileSummary) -> Self:
        """The view of a summary."""
        return cls(one.task, one.text, one.counted, one.items, one.seen, one.locked, one.edited, one.model, one.made_at)


@dataclass(frozen=True, slots=True)
class SummariesView:
    """All that is said of a user."""

    summaries: list[SummaryView]


@dataclass(frozen=True, slots=True)
class ShownItemView:
    """An item that is shown; `cut` where that is not all of it."""

    number: int
    key: str
    text: str
    tokens: int
    cut: bool


@dataclass(frozen=True, slots=True)
class ContextView:
    """What of a user stands before a request, as one `text` and in its parts. `left_out` are the keys of items that
    did not fit; `reason` says in words why there is nothing, or no summary; `labels` are the user's own, for a task
    that names none."""

    text: str
    personal: bool
    summary: str
    summary_cut: bool
    summary_stale: bool
    items: list[ShownItemView]
    left_out: Sequence[str]
    items_known: int
    tokens: int
    reason: str
    labels: Sequence[str]

    @classmethod
    def of(cls, one: ProfileContext) -> Self:
        """The view of a context."""
        items = [ShownItemView(it.item.number, it.item.key, it.text, it.tokens, it.cut) for it in one.items]
        return cls(
            one.text,
            one.personal,
            one.summary,
            one.summary_cut,
            one.summary_stale,
            items,
            one.left_out,
            one.items_known,
            one.tokens,
            one.reason,
            one.labels,
        )


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer for a user: `output` in the task's kind, null where the answer (`text`) cannot be read as one."""

    output: str | None
    text: str
    input_cut: bool
    context: ContextView

    @classmethod
    def of(cls, one: Personalized) -> Self:
        """The view of an answer."""
        return cls(one.answer.output, one.answer.text, one.input_cut, ContextView.of(one.context))


@dataclass(frozen=True, slots=True)
class PieceView:
    """A piece of an answer that is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class MemoryView:
    """A memory."""

    id: str
    user: str
    agent: str
    session: str
    number: int
    kind: str
    observation: str
    response: str
    summary: str | None
    key: str | None
    metadata: object
    at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, id_: str, agent: str, namespace: Namespace, one: Memory) -> Self:
        """The view of a memory, under the id and the agent's name that its tenant knows."""
        return cls(
            id_,
            namespace.name.user,
            agent,
            namespace.name.session,
            one.number,
            one.kind.value,
            one.observation,
            one.response,
            one.summary,
            one.key,
            one.source.get(METADATA, {}),
            one.at,
            one.expires_at,
        )


METADATA = "metadata"
"""What a memory's source has under this name, its sender gave."""


@dataclass(frozen=True, slots=True)
class MemoriesView:
    """Some memories, the newest first; `next` is the number to go on before, null where there are no more."""

    memories: list[MemoryView]
    next: int | None


@dataclass(frozen=True, slots=True)
class FoundView:
    """A memory that was found, and how well it fits."""

    score: float
    memory: MemoryView


@dataclass(frozen=True, slots=True)
class SearchView:
    """What was found, the best first."""

    found: list[FoundView]


@dataclass(frozen=True, slots=True)
class RevisionView:
    """What a memory said before it was edited."""

    revision: int
    observation: str
    response: str
    at: datetime
    replaced_at: datetime

    @classmethod
    def of(cls, one: Revision) -> Self:
        """The view of a revision."""
        return cls(one.revision, one.observation, one.response, one.at, one.replaced_at)


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What a memory said before, the oldest first."""

    revisions: list[RevisionView]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job: `done` of `planned` summaries are there so far; `report` counts what became of all of them."""

    id: str
    status: JobStatus
    user: str | None
    planned: int
    done: int
    report: Mapping[str, object] | None
    error: str | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The view of a job."""
        return cls(
            job.id,
            job.status,
            job.user,
            job.planned,
            job.done,
            job.report,
            job.error,
            job.created_at,
            job.ended_at,
        )


@dataclass(frozen=True, slots=True)
class HealthView:
    """That the service is there."""

    status: str
    engine: str


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why a request was not done (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
