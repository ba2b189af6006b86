"""What is stored of users whom answers are made for: tenants, profiles, items, summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from longdoc.json_value import JsonValue

LOCAL_TENANT: Final = "local"
"""The tenant of the command line and of a service without keys."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One whose users are kept apart from those of others."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """A user of a tenant; answers are made for it while it is `enabled`, and `changes` counts those of items."""

    id: int
    tenant_id: int
    user: str
    enabled: bool
    changes: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewItem:
    """Something that a user wrote, rated, named: `text`, and for a `task` what came out of it (`output`: a label, a
    number, a title; None where the text is all). `key` is its name within the task, `at` when it was made (aware)."""

    task: str
    key: str
    text: str
    output: str | None = None
    at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item; `change` is the number of its last change within the profile."""

    profile_id: int
    number: int
    change: int
    task: str
    key: str
    text: str
    output: str | None
    source: str
    at: datetime | None
    recorded_at: datetime

    @property
    def moment(self) -> datetime:
        """When it was made, as far as is known."""
        return self.at or self.recorded_at

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.text) + len(self.output or "")


class Stored(StrEnum):
    """What became of an item that was put."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """What is said of a user for a task, made offline.

    `counted` are values that were counted, not asked of a model; `items` are the numbers of the items that it was made
    from, `seen` how many the task had, `change` the last change of the profile that it knows. One that is `locked` is
    not made again; `edited` by a person. `prompt` is name and version of what the model was asked with.
    """

    task: str
    text: str
    items: tuple[int, ...]
    seen: int
    change: int
    model: str
    prompt: str
    made_at: datetime
    counted: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    locked: bool = False
    edited: bool = False


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far a profile's task has come: how many items it has, its last change, and the summary, where there is one;
    `edited` tells whether an item that it was made from has changed since."""

    profile: Profile
    task: str
    items: int
    last_change: int
    summary: ProfileSummary | None
    edited: bool


@dataclass(frozen=True, slots=True)
class TaskStates:
    """The states of some users; `last` is the id to go on after, None where there are no more users."""

    states: list[TaskState]
    last: int | None
