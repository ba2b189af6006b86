"""NoCha: claims about whole novels, in pairs of a true one and a false one that differ in little.

A pair is right only where both claims are, so that guessing is right in one of four. Source: Karpinska et al., "One
Thousand and One Pairs" (EMNLP 2024). Owns reading the published files, verdicts in replies, and scores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from longdoc.documents.document import Document
from longdoc.documents.readers import read_document
from longdoc.errors import MalformedDocumentError
from longdoc.evaluation.json_lines import read_list
from longdoc.evaluation.shares import Share, share_of

CHANCE: Final = 0.25

_RESPONSE = "response-"
_NOT_ASKED = frozenset({"", "SKIPPED"})
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_VERDICT = re.compile(r"\b(TRUE|FALSE)\b", re.IGNORECASE)


class _Row(BaseModel):
    model_config = ConfigDict(extra="allow")

    book_title: str
    index: int
    claim: str
    truth: bool = Field(alias="type")
    explanation: str = Field("", alias="false-claim-explanation")

    def replies(self) -> dict[str, str]:
        """Published replies by the name of the system."""
        extra = self.model_extra or {}
        return {name.removeprefix(_RESPONSE): str(value) for name, value in extra.items() if name.startswith(_RESPONSE)}


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of a novel; `replies` are published ones, by system."""

    text: str
    true: bool
    replies: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """A true and a false claim about the same thing; `explanation` says what is false in the latter."""

    index: int
    true: Claim
    false: Claim
    explanation: str


@dataclass(frozen=True, slots=True)
class ClaimedBook:
    """A novel and the pairs of claims about it."""

    name: str
    document: Document
    pairs: tuple[ClaimPair, ...]


@dataclass(frozen=True, slots=True)
class PairVerdicts:
    """What was said of the two claims of a pair; None where nothing was said that can be understood."""

    true: bool | None
    false: bool | None

    @property
    def right(self) -> bool:
        """Whether the true claim was called true, and the false one false."""
        return self.true is True and self.false is False


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Of several pairs: the share that is right, the share of single claims that is, and of how many none was said."""

    pairs: Share
    claims: Share
    unsaid: int


def read_nocha(folder: Path) -> list[ClaimedBook]:
    """The novels in a folder with `claims.json` and `books/`. Raises `DocumentError` where something is missing."""
    path = folder / "claims.json"
    rows: dict[str, dict[int, list[_Row]]] = {}
    for row in read_list(path, _Row):
        rows.setdefault(row.book_title, {}).setdefault(row.index, []).append(row)
    return [
        ClaimedBook(
            name,
            read_document(folder / "books" / f"{name}.txt"),
            tuple(_pair(index, claims, f"{path}, {name}, {index}") for index, claims in indexed.items()),
        )
        for name, indexed in rows.items()
    ]


def read_verdict(reply: str) -> bool | None:
    """The first TRUE or FALSE inside the answer tag of a reply; None where there is none."""
    tag = _ANSWER.search(reply)
    said = _VERDICT.search(tag.group(1)) if tag else None
    return None if said is None else said.group(1).upper() == "TRUE"


def published_verdicts(pair: ClaimPair, system: str) -> PairVerdicts | None:
    """What a published system said of a pair; None where it was not asked about both claims."""
    replies = [claim.replies.get(system, "").strip() for claim in (pair.true, pair.false)]
    return None if _NOT_ASKED & set(replies) else PairVerdicts(*map(read_verdict, replies))


def pair_figures(verdicts: Sequence[PairVerdicts]) -> PairFigures:
    """The figures of several pairs; what was not said is wrong."""
    claims = [verdict for pair in verdicts for verdict in (pair.true is True, pair.false is False)]
    unsaid = [verdict is None for pair in verdicts for verdict in (pair.true, pair.false)]
    return PairFigures(share_of(pair.right for pair in verdicts), share_of(claims), sum(unsaid))


def _pair(index: int, rows: Sequence[_Row], source: str) -> ClaimPair:
    match [row for row in rows if row.truth], [row for row in rows if not row.truth]:
        case [true], [false]:
            return ClaimPair(index, _claim(true), _claim(false), false.explanation)
        case _:
            raise MalformedDocumentError("has no pair of a true and a false claim", source=source)


def _claim(row: _Row) -> Claim:
    return Claim(row.claim, row.truth, row.replies())
