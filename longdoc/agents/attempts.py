"""Asking until an answer is good, a bounded number of times, and making do with the best one otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from longdoc.agents.sentences import cut_to_sentence, ends_in_sentence
from longdoc.engines.engine import Completion, FinishReason
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.storage.nodes import NodeStatus

WORD_FACTORS = (1.0, 0.9, 0.8, 0.7)
"""What each attempt asks for, as a share of the word limit."""


@dataclass(frozen=True, slots=True)
class Made:
    """A text and how it came about: `calls` made for it, `source` the one it is from; empty for a gap."""

    text: str
    status: NodeStatus
    reason: str = ""
    tokens: int = 0
    source: int | None = None
    calls: tuple[int, ...] = ()


async def make_text(ask: Callable[[int, float], Awaitable[Completion]], *, toy: bool) -> Made:
    """Ask with `ask(attempt, share of the word limit)` until the answer is good; else cut the longest; else a gap.

    A toy is asked again only when its answer is empty: it does not learn to keep a length. Refusals of this one
    request become a gap; other errors are raised.
    """
    answers: list[Completion] = []
    try:
        for attempt, factor in enumerate(WORD_FACTORS):
            answer = await ask(attempt, factor)
            answers.append(answer)
            if _is_good(answer):
                return _from_answer(answer, NodeStatus.DONE, answers)
            if toy and answer.text.strip():
                break
    except (ContextTooLongError, RequestRefusedError, InvalidOutputError) as error:
        return Made("", NodeStatus.GAP, str(error), calls=_call_ids(answers))
    return _best_of(answers)


def _is_good(answer: Completion) -> bool:
    """Source: BooookScore, released code: not empty, within its limit, and properly ended."""
    return answer.finish_reason is FinishReason.STOP and ends_in_sentence(answer.text)


def _best_of(answers: Sequence[Completion]) -> Made:
    """The longest of the answers that were not good, cut at a sentence end; a gap where all are empty."""
    best = max(answers, key=lambda answer: len(cut_to_sentence(answer.text.strip())))
    if not best.text.strip():
        return Made("", NodeStatus.GAP, f"{len(answers)} answers were empty", calls=_call_ids(answers))
    return _from_answer(best, NodeStatus.TRUNCATED, answers)


def _from_answer(answer: Completion, status: NodeStatus, answers: Sequence[Completion]) -> Made:
    text = answer.text.strip()
    done = status is NodeStatus.DONE
    return Made(
        text=text if done else cut_to_sentence(text),
        status=status,
        reason="" if done else f"cut to fit, attempts: {len(answers)}",
        tokens=answer.usage.completion_tokens,
        source=answer.call_id,
        calls=_call_ids(answers),
    )


def _call_ids(answers: Sequence[Completion]) -> tuple[int, ...]:
    return tuple(answer.call_id for answer in answers if answer.call_id is not None)
