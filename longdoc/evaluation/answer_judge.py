"""A model as the judge of answers: whether one says what a reference answer says, in whatever words.

For what exact match and F1 over tokens (`answer_scores.py`) cannot see. Source of the measure: "LongMemEval" (2024),
where a model says yes or no by the reference; prompt and shape are our own.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from longdoc.agents.calls import request_of
from longdoc.agents.events import Emit
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render

_TOKENS: Final = 160


class _Mark(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_extra={"additionalProperties": False})

    reason: Annotated[str, Field(json_schema_extra={"maxLength": 200})]
    right: bool


class AnswerJudge:
    """Marks answers, on any engine."""

    def __init__(self, engine: Engine, *, emit: Emit) -> None:
        self._engine = engine
        self._emit = emit

    async def right(self, question: str, reference: str, answer: str) -> bool | None:
        """Whether the answer is right; None where the judge's own answer cannot be used, also when asked once more.

        An empty answer is wrong, and nobody is asked. Raises what `Engine.complete` raises but for refusals.
        """
        if not answer.strip():
            return False
        given = {"question": question, "reference": reference, "answer": answer}
        prompt = render("judge/answer", {name: Quoted(text, {name: text}) for name, text in given.items()})
        try:
            mark = await call_structured(
                self._engine,
                request_of(prompt, max_tokens=_TOKENS),
                _Mark,
                purpose="judgement of an answer",
                emit=self._emit,
            )
        except (ContextTooLongError, InvalidOutputError, RequestRefusedError):
            return None
        return mark.right
