"""What of a stream goes into a prompt: the policies, behind one protocol, compared at equal budgets.

Source: "Self-Controlled Memory" (Wang, Liang and others, 2023, arXiv 2304.13343). Independent tests (MemBench, arXiv
2506.21605) rank plain retrieval and the whole history above it, so both are here, and `Automatic` takes from it what
was measured to help (docs/benchmarks.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from longdoc.memory.decision import Candidate, Decision, Fitted, Form, Gate
from longdoc.memory.fitting import JUDGE_MIN_TOKENS, Fitting, Judge, dropped, fit, in_full, shortened, summarized
from longdoc.memory.ranking import Ranking, rank
from longdoc.memory.stream import MemoryStream
from longdoc.storage.memory_types import MemoryFilter

MOST_RECALLED = 20
"""What scm may look at, and what is told of that did not fit."""
MOST_RETRIEVED = 100
_RECALLED = 6
_FLASH_TOKENS = 500
_FLASH_SHARE = 0.25
"""Of the budget: what was said just now must not leave no room for what was said of it before."""
_FEW = 1
"""So few memories before flash memory need no question whether they are needed."""


class PolicyName(StrEnum):
    """The policies by name."""

    AUTO = "auto"
    FULL = "full"
    RETRIEVE = "retrieve"
    SCM = "scm"


class GateRule(StrEnum):
    """How it is decided whether an input needs memories at all."""

    ASK = "ask"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class RecallOptions:
    """How memories are recalled.

    `k` memories are looked at by `scm` (100 by the others); `flash` and `activation` tell whether the turn before, and
    memories before that, are used at all (off for ablations); `controller` whether scm judges. `meant` says which
    memories may be recalled.
    """

    k: int = _RECALLED
    ranking: Ranking = field(default_factory=Ranking)
    gate: GateRule = GateRule.ASK
    flash: bool = True
    activation: bool = True
    controller: bool = True
    judge_min_tokens: int = JUDGE_MIN_TOKENS
    meant: MemoryFilter | None = None


class GateKeeper(Protocol):
    """Tells whether an input needs memories. An answer that cannot be used means that it does."""

    async def needed(self, question: str) -> Gate:
        """Whether anything said earlier is needed for this input."""
        ...


class MemoryPolicy(Protocol):
    """Decides what of a stream goes into a prompt."""

    async def decide(self, question: str, *, before: int, budget: int) -> Decision:
        """What an input recalls of the memories before a number, within so many tokens."""
        ...


class FullHistory:
    """Everything while it fits, then what was said last."""

    def __init__(self, stream: MemoryStream, options: RecallOptions) -> None:
        self._stream = stream
        self._options = options

    async def decide(self, question: str, *, before: int, budget: int) -> Decision:
        """See `MemoryPolicy`."""
        del question
        started = time.monotonic()
        kept, whole = await _last(self._stream, before=before, budget=budget, meant=self._options.meant)
        reason = "everything fits" if whole else f"the last {len(kept)} memories fit"
        flash = _split_flash(kept, self._options)
        return Decision(
            PolicyName.FULL, reason, budget, _needed("no choice is made"), kept, flash, seconds=_since(started)
        )


class Retrieval:
    """The most relevant memories in full, as many as fit, and the turn before."""

    def __init__(self, stream: MemoryStream, options: RecallOptions) -> None:
        self._stream = stream
        self._options = options

    async def decide(self, question: str, *, before: int, budget: int) -> Decision:
        """See `MemoryPolicy`."""
        started = time.monotonic()
        flash = await _flash(self._stream, before, self._options, budget)
        ranked = await _ranked(
            self._stream, question, k=MOST_RETRIEVED, before=before, flash=flash, options=self._options
        )
        fitting = await _packed(self._stream, question, _without_summaries(ranked), flash=flash, budget=budget)
        gate = _needed("memories are always looked for")
        reason = "as many of the best as fit"
        return _decision(PolicyName.RETRIEVE, reason, budget=budget, gate=gate, fitting=fitting, started=started)


class SelfControlled:
    """Memories where they are needed, each in full, as a summary or not at all, as a model judges."""

    def __init__(
        self, stream: MemoryStream, options: RecallOptions, *, gate: GateKeeper | None, judge: Judge | None
    ) -> None:
        self._stream = stream
        self._options = options
        self._gate = gate
        self._judge = judge

    async def decide(self, question: str, *, before: int, budget: int) -> Decision:
        """See `MemoryPolicy`. Nobody is asked anything where everything fits."""
        started = time.monotonic()
        kept, whole = await _last(self._stream, before=before, budget=budget, meant=self._options.meant)
        if whole and self._options.activation:
            gate = _needed("everything fits")
            flash = _split_flash(kept, self._options)
            return Decision(PolicyName.SCM, "everything fits", budget, gate, kept, flash, seconds=_since(started))
        flash = await _flash(self._stream, before, self._options, budget)
        gate = await self._gated(question, kept)
        ranked: Sequence[Candidate] = []
        if gate.needed and self._options.activation:
            ranked = await _ranked(
                self._stream, question, k=self._options.k, before=before, flash=flash, options=self._options
            )
        judge = self._judge if self._options.controller else None
        fitting = await fit(
            question,
            ranked,
            flash=flash,
            budget=budget,
            judge=judge,
            cut=self._stream.cut,
            judge_min_tokens=self._options.judge_min_tokens,
        )
        fitting = _topped_up(fitting, budget)
        return _decision(
            PolicyName.SCM, "as a model judged", budget=budget, gate=gate, fitting=fitting, started=started
        )

    async def _gated(self, question: str, kept: Sequence[Fitted]) -> Gate:
        if self._options.gate is GateRule.NEVER:
            return Gate(needed=False, reason="memories are switched off")
        if self._options.gate is GateRule.ALWAYS or self._gate is None or len(kept) <= _FEW:
            return _needed("memories are always looked for")
        return await self._gate.needed(question)


class Automatic:
    """Everything while it fits; then the most relevant memories: a few as summaries where they have one, the best of
    these in full as far as there is room, and then of the others as many as fit.

    No model is asked, so it costs nothing and keeps nobody waiting.
    """

    def __init__(self, stream: MemoryStream, options: RecallOptions) -> None:
        self._stream = stream
        self._options = options

    async def decide(self, question: str, *, before: int, budget: int) -> Decision:
        """See `MemoryPolicy`."""
        started = time.monotonic()
        kept, whole = await _last(self._stream, before=before, budget=budget, meant=self._options.meant)
        if whole:
            flash = _split_flash(kept, self._options)
            gate = _needed("everything fits")
            return Decision(PolicyName.FULL, "everything fits", budget, gate, kept, flash, seconds=_since(started))
        flash = await _flash(self._stream, before, self._options, budget)
        ranked = await _ranked(
            self._stream, question, k=MOST_RETRIEVED, before=before, flash=flash, options=self._options
        )
        fitting = await _packed(self._stream, question, ranked, flash=flash, budget=budget)
        gate = _needed("memories are always looked for")
        reason = "not everything fits; the best in full, others as summaries"
        return _decision(PolicyName.RETRIEVE, reason, budget=budget, gate=gate, fitting=fitting, started=started)


async def _packed(
    stream: MemoryStream, question: str, ranked: Sequence[Candidate], *, flash: Fitted | None, budget: int
) -> Fitting:
    """As many of the best as fit: a few as summaries first, where they have one, then the best of these in full; then
    more, and more of these in full, as far as it reaches. The best one is there in any case, cut where it is too long.
    """
    left = budget - (0 if flash is None else flash.tokens)
    chosen = [dropped(in_full(one)) for one in ranked]
    if ranked and summarized(in_full(ranked[0])).tokens > left:
        alone = await fit(question, ranked[:1], flash=flash, budget=budget, judge=None, cut=stream.cut)
        return _in_order((*alone.fitted, *chosen[1:MOST_RECALLED]), alone.flash)
    for group in (range(min(_RECALLED, len(ranked))), range(_RECALLED, len(ranked))):
        for place in group:
            short = summarized(in_full(ranked[place]))
            if short.tokens <= left:
                chosen[place] = short
                left -= short.tokens
        for place in group:
            more = ranked[place].full_tokens - chosen[place].tokens
            if chosen[place].form is Form.SUMMARY and more <= left:
                chosen[place] = in_full(ranked[place])
                left -= more
    kept = [one for place, one in enumerate(chosen) if place < MOST_RECALLED or one.form is not Form.DROPPED]
    return _topped_up(_in_order(kept, flash), budget)


def _in_order(fitted: Iterable[Fitted], flash: Fitted | None) -> Fitting:
    return Fitting(tuple(sorted(fitted, key=lambda one: one.candidate.number)), flash)


def _without_summaries(ranked: Sequence[Candidate]) -> list[Candidate]:
    return [replace(one, summary=None, summary_tokens=0) for one in ranked]


async def _last(
    stream: MemoryStream, *, before: int, budget: int, meant: MemoryFilter | None
) -> tuple[list[Fitted], bool]:
    """The last memories that fit, in the order of time, and whether these are all there are."""
    kept: list[Fitted] = []
    left = budget
    async for one in stream.newest(before=before, meant=meant):
        if one.full_tokens > left:
            return kept[::-1], False
        left -= one.full_tokens
        kept.append(in_full(one))
    return kept[::-1], True


def _split_flash(kept: list[Fitted], options: RecallOptions) -> Fitted | None:
    """Take the last memory out of those kept: it is flash memory."""
    return kept.pop() if kept and options.flash else None


async def _flash(stream: MemoryStream, before: int, options: RecallOptions, budget: int) -> Fitted | None:
    """The turn before: in full below 500 tokens, else its summary (released code of SCM), within a quarter of the
    budget: else its summary or its beginning, or nothing that is set apart."""
    if not options.flash:
        return None
    most = int(budget * _FLASH_SHARE)
    async for one in stream.newest(before=before, meant=options.meant):
        full = in_full(one)
        taken = full if one.full_tokens < min(_FLASH_TOKENS, most + 1) else summarized(full)
        if taken.tokens > most:
            taken = await shortened(taken, most, stream.cut)
        return None if taken.form is Form.DROPPED else taken
    return None


def _topped_up(fitting: Fitting, budget: int) -> Fitting:
    """With the turn before in full where there is room for it after all."""
    flash = fitting.flash
    if flash is None or flash.form is Form.FULL:
        return fitting
    others = sum(one.tokens for one in fitting.fitted)
    fits = others + flash.candidate.full_tokens <= budget
    return replace(fitting, flash=in_full(flash.candidate)) if fits else fitting


async def _ranked(
    stream: MemoryStream, question: str, *, k: int, before: int, flash: Fitted | None, options: RecallOptions
) -> list[Candidate]:
    """The `k` best memories but flash memory, the best first."""
    found = await stream.search(question, k=k + 1, before=before, meant=options.meant)
    others = [one for one in found if flash is None or one.number != flash.candidate.number]
    return rank(others[:k], options.ranking, now=before)


def _decision(
    policy: PolicyName, reason: str, *, budget: int, gate: Gate, fitting: Fitting, started: float
) -> Decision:
    return Decision(
        policy,
        reason,
        budget,
        gate,
        fitting.fitted,
        fitting.flash,
        calls=fitting.asked + gate.asked,
        malformed=fitting.malformed,
        seconds=_since(started),
    )


def _needed(reason: str) -> Gate:
    return Gate(needed=True, reason=reason)


def _since(started: float) -> float:
    return time.monotonic() - started
