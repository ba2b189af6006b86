"""Asking until an answer is good, a bounded number of times, and making do with the best one otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit
from longdoc.agents.sentences import cut_to_sentence, ends_in_sentence
from longdoc.engines.engine import Completion, Engine, FinishReason
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt
from longdoc.storage.nodes import NodeStatus

WORD_FACTORS = (1.0, 0.9, 0.8, 0.7)
"""What each attempt asks for, as a share of the word limit."""
FIRST_TEMPERATURE = 0.5
RETRY_TEMPERATURE = 1.0


@dataclass(frozen=True, slots=True)
class Made:
    """A text and how it came about: `calls` made for it, `sources` those that it is from; empty for a gap.

    `edited` tells that the text is more than the beginning of one answer.
    """

    text: str
    status: NodeStatus
    reason: str = ""
    tokens: int = 0
    sources: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    edited: bool = False

    def quoted(self) -> Quoted:
        """The text with a reference to the calls that it is from."""
        if not self.sources:
            return Quoted(self.text, {})
        if len(self.sources) == 1 and not self.edited:
            return Quoted(self.text, {"call": self.sources[0], "characters": len(self.text)})
        return Quoted(self.text, {"edited_calls": ",".join(map(str, self.sources)), "characters": len(self.text)})


def gap(reason: str, answers: Sequence[Completion] = ()) -> Made:
    """Nothing, and why."""
    return Made("", NodeStatus.GAP, reason, calls=call_ids(answers))


class Writer:
    """Writes on an engine: asks with one temperature first and with another one when asked again."""

    def __init__(self, engine: Engine, *, emit: Emit) -> None:
        self._engine = engine
        self._emit = emit

    @property
    def toy(self) -> bool:
        """Whether the model does not learn to keep a length."""
        return self._engine.info.toy

    async def ask(
        self, prompt: RenderedPrompt, *, limit: int, purpose: str, attempt: int = 0, temperature: float | None = None
    ) -> Completion:
        """One answer of at most `limit` tokens. Raises what `Engine.complete` raises."""
        usual = RETRY_TEMPERATURE if attempt else FIRST_TEMPERATURE
        request = request_of(
            prompt, max_tokens=limit, temperature=usual if temperature is None else temperature, seed=attempt
        )
        return await call(self._engine, request, purpose=purpose, emit=self._emit)

    async def make(
        self, prompt: Callable[[float], RenderedPrompt], *, limit: int, purpose: str, cut_is_good: bool = False
    ) -> Made:
        """Ask with `prompt(share of the words)` until the answer is good; else cut the longest; else a gap.

        A toy is asked again only when its answer is empty. With `cut_is_good` an answer that ran into its limit is
        cut at its last sentence and taken. Refusals of this one request become a gap; other errors are raised.
        """
        answers: list[Completion] = []
        try:
            for attempt, factor in enumerate(WORD_FACTORS):
                answer = await self.ask(prompt(factor), limit=limit, purpose=purpose, attempt=attempt)
                answers.append(answer)
                if is_good(answer, cut_is_good=cut_is_good):
                    return made_from(answer, answers, good=True)
                if self.toy and answer.text.strip():
                    break
        except (ContextTooLongError, RequestRefusedError, InvalidOutputError) as error:
            return gap(str(error), answers)
        return _best_of(answers)


def is_good(answer: Completion, *, cut_is_good: bool = False) -> bool:
    """Not empty, within its limit, and properly ended (BooookScore, released code).

    With `cut_is_good` it is enough that some sentence of it ends.
    """
    if cut_is_good:
        return ends_in_sentence(cut_to_sentence(answer.text.strip()))
    return answer.finish_reason is FinishReason.STOP and ends_in_sentence(answer.text)


def _best_of(answers: Sequence[Completion]) -> Made:
    """The longest of the answers that were not good, cut at a sentence end; a gap where all are empty."""
    best = longest(answers)
    if not best.text.strip():
        return gap(f"{len(answers)} answers were empty", answers)
    return made_from(best, answers, good=False)


def longest(answers: Sequence[Completion]) -> Completion:
    """The answer of which most is left when it is cut at a sentence end; the first of equals."""
    return max(answers, key=lambda answer: len(cut_to_sentence(answer.text.strip())))


def made_from(answer: Completion, answers: Sequence[Completion], *, good: bool) -> Made:
    """One of the answers as the text made, up to its last sentence; one that is not good is marked as cut."""
    return Made(
        text=cut_to_sentence(answer.text.strip()),
        status=NodeStatus.DONE if good else NodeStatus.TRUNCATED,
        reason="" if good else f"cut to fit, attempts: {len(answers)}",
        tokens=answer.usage.completion_tokens,
        sources=() if answer.call_id is None else (answer.call_id,),
        calls=call_ids(answers),
    )


def call_ids(answers: Sequence[Completion]) -> tuple[int, ...]:
    """The ids of the calls that were recorded, in order."""
    return tuple(answer.call_id for answer in answers if answer.call_id is not None)
