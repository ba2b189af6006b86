"""Fitting memories into a budget of tokens: in full, as a summary, cut, or not at all. It always ends.

Source: "Self-Controlled Memory" (Wang, Liang and others, 2023, arXiv 2304.13343), the memory controller; the released
code does not end where all summaries together pass the budget, and drops a turn that cannot answer alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from longdoc.memory.decision import Candidate, Fitted, Form, Judgement

Cut: TypeAlias = Callable[[str, int], Awaitable[tuple[str, int]]]
"""A text up to the last end of a sentence within so many tokens, and the tokens that it then has; "" where none is."""

JUDGE_MIN_TOKENS = 800


class Judge(Protocol):
    """Tells what a memory is good for. An answer that cannot be used is None."""

    async def judge(self, question: str, candidates: Sequence[Candidate]) -> Sequence[Judgement]:
        """For each of these memories, whether it helps with the input, and whether its summary would do."""
        ...


@dataclass(frozen=True, slots=True)
class Fitting:
    """The memories as they were fitted, in the order of their numbers, flash memory apart; and what the judge did."""

    fitted: tuple[Fitted, ...]
    flash: Fitted | None
    asked: int = 0
    malformed: int = 0


def in_full(candidate: Candidate, *, judgement: Judgement | None = None) -> Fitted:
    """A memory as it is."""
    return Fitted(candidate, Form.FULL, candidate.full, candidate.full_tokens, judgement or Judgement())


def summarized(fitted: Fitted) -> Fitted:
    """Its summary instead, where there is one."""
    one = fitted.candidate
    if not one.summary or one.summary_tokens >= one.full_tokens:
        return fitted
    return replace(fitted, form=Form.SUMMARY, text=one.summary, tokens=one.summary_tokens)


def dropped(fitted: Fitted) -> Fitted:
    """Nothing of it."""
    return replace(fitted, form=Form.DROPPED, text="", tokens=0)


async def fit(
    question: str,
    ranked: Sequence[Candidate],
    *,
    flash: Fitted | None,
    budget: int,
    judge: Judge | None,
    cut: Cut,
    judge_min_tokens: int = JUDGE_MIN_TOKENS,
) -> Fitting:
    """Fit `ranked` memories (the best first) and the turn before them into a budget of tokens.

    In order, until it fits: all in full; what the judge finds useless dropped, and its summary taken where that will do
    (asked of memories above `judge_min_tokens` but the best one, the worst first); summaries, the worst first; none but
    the best; the best cut at the end of a sentence; flash memory cut. Each step visits a memory once.
    """
    left = budget - (0 if flash is None else flash.tokens)
    chosen = [in_full(one) for one in reversed(ranked)]  # the worst first
    asked = malformed = 0
    if judge is not None and _sum(chosen) > left:
        asked, malformed = await _judged(question, chosen, left, judge, judge_min_tokens)
    for step in (summarized, dropped):
        for place in range(len(chosen) if step is summarized else len(chosen) - 1):
            if _sum(chosen) <= left:
                break
            chosen[place] = chosen[place] if chosen[place].form is Form.DROPPED else step(chosen[place])
    if chosen and _sum(chosen) > left:
        chosen[-1] = await shortened(chosen[-1], left, cut)
    if flash is not None and flash.tokens > budget:
        flash = await shortened(flash, budget, cut)
    return Fitting(tuple(sorted(chosen, key=lambda one: one.candidate.number)), flash, asked, malformed)


async def _judged(
    question: str, chosen: list[Fitted], left: int, judge: Judge, judge_min_tokens: int
) -> tuple[int, int]:
    """Ask of long memories until all fits; how many were asked of, and in vain.

    As many are asked of at once as would have to go at least, so that none is asked of needlessly.
    """
    places = [place for place, one in enumerate(chosen[:-1]) if one.candidate.full_tokens > judge_min_tokens]
    asked = malformed = 0
    while places and _sum(chosen) > left:
        wave: list[int] = []
        while places and _sum(chosen) - sum(chosen[place].tokens for place in wave) > left:
            wave.append(places.pop(0))
        judgements = await judge.judge(question, [chosen[place].candidate for place in wave])
        for place, judgement in zip(wave, judgements, strict=True):
            chosen[place] = _as_judged(replace(chosen[place], judgement=judgement))
            malformed += judgement.useful is None
        asked += len(wave)
    return asked, malformed


def _as_judged(one: Fitted) -> Fitted:
    if one.judgement.useful is False:
        return dropped(one)
    return summarized(one) if one.judgement.enough else one


async def shortened(one: Fitted, tokens: int, cut: Cut) -> Fitted:
    """As much of it as fits; nothing where no sentence does."""
    text, length = await cut(one.text, tokens) if tokens > 0 else ("", 0)
    if not text or length > tokens:
        return dropped(one)
    return replace(one, form=Form.CUT, text=text, tokens=length)


def _sum(chosen: Sequence[Fitted]) -> int:
    return sum(one.tokens for one in chosen)
