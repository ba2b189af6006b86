"""What a memory is, and whose: the values that cross the repositories of memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from longdoc.json_value import JsonValue

CALLS: Final = "calls"
"""What a memory's source has the ledger's ids under, of the calls that were made for it."""


TURNS: Final = "turns"
"""What a fact's source has the turns under that it comes from: pairs of the id of a namespace and a number."""


class MemoryKind(StrEnum):
    """Where a memory comes from."""

    TURN = "turn"
    DOCUMENT = "document"
    IMPORT = "import"
    FACT = "fact"


class MemoryStatus(StrEnum):
    """What became of a memory. `OPEN`: it was said and is not answered yet; `CUT`: the answer was broken off."""

    OPEN = "open"
    DONE = "done"
    CUT = "cut"
    ERASED = "erased"

    @property
    def remembered(self) -> bool:
        """Whether it can be recalled."""
        return self in {MemoryStatus.DONE, MemoryStatus.CUT}


@dataclass(frozen=True, slots=True)
class NamespaceName:
    """Whose memories: of a user, with an agent, in a session; empty where they are of all of them."""

    user: str = ""
    agent: str = ""
    session: str = ""

    def __str__(self) -> str:
        return "/".join(part or "-" for part in (self.user, self.agent, self.session))


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace: `memories` is the number of its newest memory, `changes` that of the last change of any."""

    id: int
    name: NamespaceName
    memories: int
    changes: int
    settings: Mapping[str, JsonValue]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory to be stored. Of two with the same `key` in a namespace the first is kept.

    `observation` is what the user said, or the text itself; `response` what was answered to it. `at` is when it was
    said (aware; None: now).
    """

    observation: str
    response: str = ""
    summary: str | None = None
    kind: MemoryKind = MemoryKind.TURN
    status: MemoryStatus = MemoryStatus.DONE
    key: str | None = None
    source: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """A stored memory as it is now; an erased one has no texts.

    `tokens` are those of the whole as it stands in a prompt, by the tokenizer `counter`; None: not counted yet.
    """

    number: int
    change: int
    kind: MemoryKind
    status: MemoryStatus
    key: str | None
    observation: str
    response: str
    summary: str | None
    tokens: int | None
    summary_tokens: int | None
    counter: str | None
    source: Mapping[str, JsonValue]
    at: datetime
    recorded_at: datetime
    expires_at: datetime | None

    @property
    def text(self) -> str:
        """What was said and what was answered."""
        return "\n".join(filter(None, (self.observation, self.response)))


@dataclass(frozen=True, slots=True)
class Counted:
    """The tokens of a memory and of its summary, as they were at a change."""

    number: int
    change: int
    summary: str | None
    tokens: int
    summary_tokens: int | None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a memory said before it was edited at `replaced_at`."""

    revision: int
    observation: str
    response: str
    at: datetime
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """Which memories are meant: of some kinds, said in a span of time, whose source has these values."""

    kinds: frozenset[MemoryKind] | None = None
    since: datetime | None = None
    until: datetime | None = None
    source: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.kinds is None and self.since is None and self.until is None and not self.source

    def takes(self, memory: Memory) -> bool:
        """Whether a memory is among them."""
        return (
            (self.kinds is None or memory.kind in self.kinds)
            and (self.since is None or memory.at >= self.since)
            and (self.until is None or memory.at < self.until)
            and all(memory.source.get(name) == value for name, value in self.source.items())
        )
