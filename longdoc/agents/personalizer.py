"""Doing something for a user: the request with what is known of them before it, and the answer in the task's kind.

Source: LaMP (arXiv 2304.11406). What cannot be read as a label or a number is told; how it counts is left to who scores
it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from longdoc.agents.answer_shapes import LENIENT
from longdoc.agents.calls import call, request_of
from longdoc.agents.cleanup import without_asides
from longdoc.agents.events import Emit
from longdoc.agents.profile_context import ProfileContext, joined_labels
from longdoc.agents.profile_tasks import OutputKind, ProfileTask
from longdoc.agents.sentences import cut_to_sentence
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Completion, Engine, TextSink
from longdoc.errors import InvalidOutputError
from longdoc.prompts.catalogue import Quoted, render

_SHAPE_TOKENS = 24
_QUOTATION_MARKS = "\"'“”„«»‘’ \t*`"
_LABELLED = re.compile(r"(?:[\w ]{0,30}(?:title|headline|subject|answer|post|tweet))\s?[:：]\s?", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class PersonalAnswer:
    """What came out: `output` in the task's kind; None where the answer cannot be read as one, which `text` still has.

    `labels` are those that could be answered.
    """

    output: str | None
    text: str
    labels: tuple[str, ...] = ()


class Personalizer:
    """Does tasks for users on any engine."""

    def __init__(self, engine: Engine, *, emit: Emit) -> None:
        self._engine = engine
        self._emit = emit

    async def answer(
        self,
        task: ProfileTask,
        asked: str,
        context: ProfileContext,
        *,
        on_text: TextSink | None = None,
    ) -> PersonalAnswer:
        """The answer to an input: a label, for a task that names none one of those that the context has; without any
        it is free. An answer in plain words is read as it is, before the model is asked once more for its shape.

        `on_text` gets pieces of a text as they come. Raises what `Engine.complete` raises.
        """
        allowed = (task.labels or context.labels) if task.output is OutputKind.LABEL else ()
        constrained = bool(allowed) or task.output is OutputKind.NUMBER
        prompt = render(
            "profile/answer",
            {
                "summary": Quoted(context.summary, {"profile": "summary"}) if context.summary else None,
                "items": [
                    Quoted(one.text, {"profile": one.item.profile_id, "item": one.item.number}) for one in context.items
                ],
                "input": Quoted(asked, {"input": "text"}),
                "request": task.request,
                "labels": ", ".join(task.labels),
                "own": Quoted(joined_labels(context.labels), {"profile": "labels"}) if context.labels else None,
                "json": constrained,
            },
        )
        request = request_of(prompt, max_tokens=task.most_tokens + (_SHAPE_TOKENS if constrained else 0))
        if not constrained:
            answer = await call(self._engine, request, purpose=task.name, emit=self._emit, on_text=on_text)
            return PersonalAnswer(_text_of(answer, task) or None, answer.text)
        shape = _shape(task, allowed)
        said: list[str] = []

        def read_plainly(text: str) -> BaseModel | None:
            said.append(text)
            plain = parse_output(task, text, allowed)
            return None if plain is None else shape.model_construct(answer=plain)

        try:
            found = await call_structured(
                self._engine, request, shape, purpose=task.name, emit=self._emit, plain=read_plainly
            )
        except InvalidOutputError:
            return PersonalAnswer(None, said[-1] if said else "", allowed)
        text = str(found.model_dump(warnings=False)["answer"])
        return PersonalAnswer(text, text, allowed)


def parse_output(task: ProfileTask, text: str, labels: Sequence[str]) -> str | None:
    """The output that a plain text says: the one label, or the one number within bounds, that it names; None where it
    names none, or several."""
    if task.output is OutputKind.LABEL and labels:
        bare = text.casefold().strip(_QUOTATION_MARKS + ".")
        exact = [label for label in labels if bare == label.casefold()]
        return exact[0] if exact else _only_named(text, labels)
    if task.output is OutputKind.NUMBER:
        found = {float(one) for one in _NUMBER.findall(text)}
        value = found.pop() if len(found) == 1 else None
        return f"{value:g}" if value is not None and task.lowest <= value <= task.highest else None
    return text.strip() or None


def _only_named(text: str, labels: Sequence[str]) -> str | None:
    """The one label that a text names, as words of their own; a label within a longer one that is named is not."""
    left, named = text.casefold(), list[str]()
    for label in sorted(labels, key=len, reverse=True):
        left, times = re.subn(rf"(?<!\w){re.escape(label.casefold())}(?!\w)", " ", left)
        named += [label] * bool(times)
    return named[0] if len(named) == 1 else None


def _shape(task: ProfileTask, labels: Sequence[str]) -> type[BaseModel]:
    """The shape of an answer: one of the labels, or a number within bounds."""
    if task.output is OutputKind.NUMBER:
        number = Annotated[int, Field(ge=task.lowest, le=task.highest)]
        return create_model("Answer", __config__=LENIENT, answer=(number, ...))
    one_of: Any = Literal[tuple(labels)]
    return create_model("Answer", __config__=LENIENT, answer=(one_of, ...))


def _text_of(answer: Completion, task: ProfileTask) -> str:
    """What an answer in prose has of an output."""
    text = without_asides(answer.text.strip()).strip()
    if task.one_line:
        first = next((line for line in text.splitlines() if line.strip(_QUOTATION_MARKS + "#")), "")
        label = _LABELLED.match(first.lstrip("# *"))
        bare = first.lstrip("# *")[label.end() :] if label else first
        return " ".join(bare.strip(_QUOTATION_MARKS + "#").split())
    return (cut_to_sentence(text) or text) if answer.cut else text
