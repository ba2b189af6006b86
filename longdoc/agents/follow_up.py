"""Questions that lean on what was asked before: written so that they stand by themselves and can be searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render

MOST_TURNS: Final = 3
"""How many turns before a question are looked at."""
_MOST_TOKENS = 128
_MOST_GROWTH = 6
_ASKS = ("?", "？", "؟", ";")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a session and the answer it got."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class StandaloneQuestion:
    """A question to be searched for by itself; `kind` is the question whose words tell what kind it is."""

    text: str
    kind: str


async def standalone_question(
    engine: Engine, question: str, turns: Sequence[Turn], *, emit: Emit
) -> StandaloneQuestion:
    """The question as it would be asked without the turns before it; as it is where there are none.

    Where the model writes anything but one short question, the question before it is put in front instead, for the
    search alone: what kind of question it is, its own words tell. Raises what `Engine.complete` raises but for a
    refusal of this one request.
    """
    if not turns:
        return StandaloneQuestion(question, question)
    said = [Quoted(f"{turn.question}\n{turn.answer}", {"question": turn.question}) for turn in turns[-MOST_TURNS:]]
    prompt = render("ask/standalone", {"turns": said, "question": Quoted(question, {"question": question})})
    try:
        answer = await call(
            engine, request_of(prompt, max_tokens=_MOST_TOKENS), purpose="the question by itself", emit=emit
        )
    except (ContextTooLongError, RequestRefusedError):
        return _joined(question, turns)
    written = answer.text.strip().strip('"')
    if not answer.cut and _is_a_question(written, question):
        return StandaloneQuestion(written, written)
    return _joined(question, turns)


def _is_a_question(written: str, question: str) -> bool:
    """Whether it is one short line, and asks where the question asks: a model may have answered instead."""
    short = bool(written) and "\n" not in written and len(written) <= _MOST_GROWTH * max(len(question), 40)
    return short and (written.endswith(_ASKS) or not question.endswith(_ASKS))


def _joined(question: str, turns: Sequence[Turn]) -> StandaloneQuestion:
    return StandaloneQuestion(f"{turns[-1].question} {question}", question)
