"""What an agent tells while it works: typed events, drawn by the command line and read by tests.

Agents pass them to an `Emit` function; they never print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from longdoc.engines.engine import Completion
from longdoc.storage.draft_types import DraftPlan


@dataclass(frozen=True, slots=True)
class Planned:
    """The work is laid out: so many nodes will be made; the description says in words what they are."""

    nodes: int
    description: str


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A model call is on its way; `purpose` says in words what for."""

    purpose: str


@dataclass(frozen=True, slots=True)
class CallFinished:
    """A model call was answered, by the engine or from the record."""

    purpose: str
    completion: Completion


@dataclass(frozen=True, slots=True)
class NodeDone:
    """A node is stored. `level` 0 is made from the text itself."""

    node_id: str
    level: int
    title: str
    gap: bool


@dataclass(frozen=True, slots=True)
class Traced:
    """The sentences of so many of all nodes are traced to what they rest on."""

    done: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Scored:
    """The relevance of so many of all segments is known."""

    done: int
    segments: int


@dataclass(frozen=True, slots=True)
class Read:
    """So many of all segments are read for a question."""

    done: int
    segments: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """So many of all stretches of text that an index lacked are in it: windows, and the parts that are embedded."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class DraftPlanned:
    """The plan of a draft is there; `words` are those of the sections that are written, by number (from 1)."""

    plan: DraftPlan
    words: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class SectionBegun:
    """A section of a draft, by its number in the plan (from 1), is being written."""

    number: int


@dataclass(frozen=True, slots=True)
class SectionWritten:
    """A section of a draft is stored, with so many words."""

    number: int
    words: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the reader of the result should know."""

    message: str


Event: TypeAlias = (
    Planned
    | CallStarted
    | CallFinished
    | NodeDone
    | Traced
    | Scored
    | Read
    | Indexed
    | DraftPlanned
    | SectionBegun
    | SectionWritten
    | Warned
)
Emit: TypeAlias = Callable[[Event], None]
