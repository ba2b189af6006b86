"""Questions that lean on what was asked before: written so that they stand by themselves and can be searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render

_TURNS = 3
_MOST_TOKENS = 128
_MOST_GROWTH = 6


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a session and the answer it got."""

    question: str
    answer: str


async def standalone_question(engine: Engine, question: str, turns: Sequence[Turn], *, emit: Emit) -> str:
    """The question as it would be asked without the turns before it; as it is where there are none.

    Where the model writes anything but one short question, the question before it is put in front instead. Raises
    what `Engine.complete` raises but for a refusal of this one request.
    """
    if not turns:
        return question
    said = [Quoted(f"{turn.question}\n{turn.answer}", {"question": turn.question}) for turn in turns[-_TURNS:]]
    prompt = render("ask/standalone", {"turns": said, "question": Quoted(question, {"question": question})})
    try:
        answer = await call(
            engine, request_of(prompt, max_tokens=_MOST_TOKENS), purpose="the question by itself", emit=emit
        )
    except (ContextTooLongError, RequestRefusedError):
        return _joined(question, turns)
    written = answer.text.strip().strip('"')
    return written if _is_a_question(written, question) else _joined(question, turns)


def _is_a_question(written: str, question: str) -> bool:
    return bool(written) and "\n" not in written and len(written) <= _MOST_GROWTH * max(len(question), 40)


def _joined(question: str, turns: Sequence[Turn]) -> str:
    return f"{turns[-1].question} {question}"
