"""What was decided about memory for one input, in full: data that is stored, shown and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from longdoc.json_value import JsonValue


class Form(StrEnum):
    """How much of a memory stands in the prompt."""

    FULL = "full"
    SUMMARY = "summary"
    CUT = "cut"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of a memory; None: it was not asked, or its answer could not be used."""

    useful: bool | None = None
    enough: bool | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that may go into the prompt, and how it came to be one.

    `relevance` is how near it is to the input, `recency` how near in time (None: not counted); `rank` is what it is
    ordered by. `summary` is None where there is none that is shorter. `label` tells in a prompt which one it is.
    """

    number: int
    full: str
    full_tokens: int
    summary: str | None = None
    summary_tokens: int = 0
    relevance: float = 0.0
    recency: float | None = None
    rank: float = 0.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What became of a candidate: `text`, of so many tokens, stands in the prompt."""

    candidate: Candidate
    form: Form
    text: str
    tokens: int
    judgement: Judgement = field(default_factory=Judgement)

    def to_json(self) -> JsonValue:
        """All but the texts."""
        one, judged = self.candidate, self.judgement
        return {
            "memory": one.number,
            "form": self.form,
            "tokens": self.tokens,
            "full_tokens": one.full_tokens,
            "summary_tokens": None if one.summary is None else one.summary_tokens,
            "relevance": round(one.relevance, 4),
            "recency": None if one.recency is None else round(one.recency, 4),
            "rank": round(one.rank, 4),
            "useful": judged.useful,
            "enough": judged.enough,
        }


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether an input needs memories, and why; `asked` tells that a model decided it."""

    needed: bool
    reason: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What an input recalled: `fitted` in the order of time, dropped ones included, and `flash`, the turn before it.

    `policy` is the one that decided, `reason` why it and nothing else; `budget` the tokens that were allowed. `calls`
    were asked of a judge, `malformed` of their answers could not be used.
    """

    policy: str
    reason: str
    budget: int
    gate: Gate
    fitted: Sequence[Fitted] = ()
    flash: Fitted | None = None
    calls: int = 0
    malformed: int = 0
    seconds: float = 0.0

    @property
    def kept(self) -> list[Fitted]:
        """What stands in the prompt, in the order of time, flash memory last."""
        return [one for one in (*self.fitted, *filter(None, [self.flash])) if one.form is not Form.DROPPED]

    @property
    def tokens(self) -> int:
        """The tokens of all that stands in the prompt."""
        return sum(one.tokens for one in self.kept)

    def to_json(self) -> dict[str, JsonValue]:
        """All but the texts of memories, which the record has under their numbers."""
        return {
            "policy": self.policy,
            "reason": self.reason,
            "budget": self.budget,
            "tokens": self.tokens,
            "gate": {"needed": self.gate.needed, "reason": self.gate.reason, "asked": self.gate.asked},
            "candidates": [one.to_json() for one in self.fitted],
            "flash": None if self.flash is None else self.flash.to_json(),
            "judge_calls": self.calls,
            "malformed": self.malformed,
            "seconds": round(self.seconds, 4),
        }
