"""What the service replies, typed. Fields that a newer service has beside these are passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Nothing(_Reply):
    """It was done, and there is nothing to say of it."""


class User(_Reply):
    """A user; answers are made for it while it is `enabled`."""

    user: str
    enabled: bool
    created_at: datetime


class Users(_Reply):
    """Some users by name; `next` is what to go on after, None where there are no more."""

    users: Sequence[User]
    next: str | None


class Item(_Reply):
    """A stored item."""

    number: int
    task: str
    key: str
    text: str
    output: str | None
    at: datetime | None
    source: str


class Items(_Reply):
    """Some items by number; `next` is what to go on after, None where there are no more."""

    items: Sequence[Item]
    next: int | None


class Stored(_Reply):
    """What became of items that were put, in their order ("added", "changed", "same"), and how many of each."""

    added: int
    changed: int
    same: int
    items: Sequence[str]


class Summary(_Reply):
    """What is said of a user for a task; `items` are the numbers of those that it was made from."""

    task: str
    text: str
    counted: Mapping[str, object]
    items: Sequence[int]
    items_seen: int
    locked: bool
    edited: bool
    model: str
    made_at: datetime


class Summaries(_Reply):
    """All that is said of a user."""

    summaries: Sequence[Summary]


class ShownItem(_Reply):
    """An item that is shown; `cut` where that is not all of it."""

    number: int
    key: str
    text: str
    tokens: int
    cut: bool


class Context(_Reply):
    """What of a user stands before a request, as one `text` and in its parts. `left_out` are the keys of items that
    did not fit; `reason` says in words why there is nothing, or no summary; `labels` are the user's own, for a task
    that names none."""

    text: str
    personal: bool
    summary: str
    summary_cut: bool
    summary_stale: bool
    items: Sequence[ShownItem]
    left_out: Sequence[str]
    items_known: int
    tokens: int
    reason: str
    labels: Sequence[str] = ()


class Answer(_Reply):
    """An answer for a user: `output` in the task's kind, None where the answer (`text`) cannot be read as one."""

    output: str | None
    text: str
    input_cut: bool
    context: Context


class Piece(_Reply):
    """A piece of an answer that is being written."""

    text: str


class Memory(_Reply):
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
    metadata: Mapping[str, str]
    at: datetime
    expires_at: datetime | None


class Memories(_Reply):
    """Some memories, the newest first; `next` is the number to go on before, None where there are no more."""

    memories: Sequence[Memory]
    next: int | None


class FoundMemory(_Reply):
    """A memory that was found, and how well it fits."""

    score: float
    memory: Memory


class Search(_Reply):
    """What was found, the best first."""

    found: Sequence[FoundMemory]


class Revision(_Reply):
    """What a memory said before it was edited."""

    revision: int
    observation: str
    response: str
    at: datetime
    replaced_at: datetime


class History(_Reply):
    """What a memory said before, the oldest first."""

    revisions: Sequence[Revision]


class Job(_Reply):
    """A job: queued, running, parked, done, failed or cancelled. `report` counts what became of all summaries."""

    id: str
    status: str
    user: str | None
    planned: int
    done: int
    report: Mapping[str, object] | None
    error: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in {"done", "failed", "cancelled"}
