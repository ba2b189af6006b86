"""What a draft is: the plan of a long text, and the texts of its sections in all their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from longdoc.json_value import JsonValue
from longdoc.storage.memory_types import NamespaceName


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """A line of a plan. `id` is the section's for good, wherever it moves; `path` are the titles it stands under.

    `words` is its budget, `sources` is what is looked up for it, `comment` what a person wants of it, `version` the
    text it holds (0: none yet). What is `locked` is not written again.
    """

    id: int
    heading: str
    main_point: str
    words: int
    path: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    comment: str = ""
    locked: bool = False
    version: int = 0

    @property
    def line(self) -> dict[str, JsonValue]:
        """What a text is written for."""
        told: dict[str, JsonValue] = {"comment": self.comment} if self.comment else {}
        return {
            **told,
            "heading": self.heading,
            "main_point": self.main_point,
            "sources": list(self.sources),
            "words": self.words,
        }


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """The plan of a draft: its title, and its sections in their order."""

    title: str = ""
    sections: tuple[PlannedSection, ...] = ()

    @property
    def words(self) -> int:
        """The sum of the budgets."""
        return sum(section.words for section in self.sections)

    def json(self) -> dict[str, JsonValue]:
        """As it is stored."""
        return {"title": self.title, "sections": [asdict(section) for section in self.sections]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DraftPlan:
        """What `json` gave."""
        rows: Sequence[dict[str, Any]] = stored["sections"]
        lines: list[dict[str, Any]] = [
            {**row, "path": tuple(row["path"]), "sources": tuple(row["sources"])} for row in rows
        ]
        return cls(stored["title"], tuple(PlannedSection(**line) for line in lines))


@dataclass(frozen=True, slots=True)
class Draft:
    """A writing session: what was asked for, and the plan of its revision now, which `changes` grows with."""

    id: int
    name: str
    instruction: str
    settings: Mapping[str, JsonValue]
    revision: int
    changes: int
    plan: DraftPlan
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DraftRevision:
    """A state that can be come back to: `what` made it from the revision `parent` (None: the first)."""

    number: int
    parent: int | None
    what: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SectionText:
    """A version of a section. `line` is what it was written for (`PlannedSection.line`), `asked` its words then.

    `summary` and `facts` are what later sections are told of it; `notes` are its citations as JSON; `edited` tells
    that a person changed it; `reason` what is wrong with it.
    """

    section: int
    version: int
    text: str
    words: int
    asked: int
    line: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    summary: str = ""
    facts: tuple[str, ...] = ()
    notes: JsonValue = None
    edited: bool = False
    reason: str = ""
    created_at: datetime | None = field(default=None, compare=False)


def memories_of_draft(name: str, draft_id: int) -> NamespaceName:
    """The namespace that the memories of a draft are in."""
    return NamespaceName(agent="write", session=f"{name}.{draft_id}")
