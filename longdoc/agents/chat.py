"""A turn of a conversation: how much room there is for memories, the prompt, and the answer as it is written.

Source: "Self-Controlled Memory" (Wang, Liang and others, 2023, arXiv 2304.13343): related history in the order of time,
the turn before, the input; memories take at most 0.6 of the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit
from longdoc.agents.memory_judge import memory_reference
from longdoc.documents.tokens import TokenCounter
from longdoc.engines.engine import Completion, CompletionRequest, Engine, TextSink
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.memory.decision import Decision, Fitted
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, render

MEMORY_SHARE = 0.6
"""Of the window, for memories."""
_ANSWER_SHARE = 0.25
_ANSWER_TOKENS = 1024
_LEAST_ANSWER = 64
_SAFETY_TOKENS = 48
"""What a chat template adds to two messages, and what tokens at the joints of texts may differ by."""
_TEMPERATURE = 0.5
_LABEL = "Turn 1234567, 2026-12-31"


@dataclass(frozen=True, slots=True)
class Room:
    """How the window is shared out, in tokens: `template` with the system prompt, `facts` about the user, `input`,
    `memories` at most, and what is left free for the `answer`."""

    window: int
    template: int
    facts: int
    input: int
    memories: int
    answer: int


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer and the account of its prompt: what each part took, by the engine's own count where it tells one."""

    completion: Completion
    account: Mapping[str, JsonValue]


class ChatWriter:
    """Answers inputs on an engine; `system` is the user's own system prompt."""

    def __init__(self, engine: Engine, counter: TokenCounter, *, namespace: int, system: str | None) -> None:
        self._engine = engine
        self._counter = counter
        self._namespace = namespace
        self._system = None if system is None else Quoted(system, {"namespace": namespace, "setting": "system"})

    async def wrapper_tokens(self) -> int:
        """What one memory takes in a prompt beside its text."""
        bare, one = (self._prompt("x", labels, facts=()) for labels in ((), (_LABEL,)))
        counts = await self._counter.count_tokens([bare.user, one.user])
        return counts[1] - counts[0] + 1

    async def room(
        self,
        text: str,
        *,
        facts: Sequence[Quoted] = (),
        memory_tokens: int | None = None,
        answer_tokens: int | None = None,
    ) -> Room:
        """How the window is shared out for an input. Raises `ConfigError` where it does not fit.

        `facts` are told in every prompt.
        """
        info = self._engine.info
        empty, told = self._prompt("", (), facts=()), self._prompt("", (), facts=facts)
        counts = await self._counter.count_tokens([empty.system, empty.user, told.user, text])
        template, known, said = counts[0] + counts[1], counts[2] - counts[1], counts[3]
        most = min(_ANSWER_TOKENS if answer_tokens is None else answer_tokens, info.max_output or info.context_window)
        left = info.context_window - template - known - said - _SAFETY_TOKENS
        answer = min(most, max(_LEAST_ANSWER, int(info.context_window * _ANSWER_SHARE)), left)
        if answer < _LEAST_ANSWER:
            raise ConfigError(
                f"the input has {said} tokens, the window of {info.model} {info.context_window}, of which the system "
                f"prompt takes {template} and facts {known}; put a long text into a file and add it "
                "(/add FILE), or use a model with a "
                "larger window"
            )
        wanted = int(info.context_window * MEMORY_SHARE) if memory_tokens is None else memory_tokens
        memories = min(wanted, left - answer)
        return Room(info.context_window, template, known, said, max(0, memories), answer)

    async def answer(
        self,
        number: int,
        text: str,
        decision: Decision,
        room: Room,
        *,
        facts: Sequence[Quoted] = (),
        emit: Emit,
        on_text: TextSink | None = None,
    ) -> Answered:
        """Answer the input that is stored under a number. Raises what `Engine.complete` raises."""
        request = self.request(number, text, decision, room, facts=facts)
        completion = await call(self._engine, request, purpose="answer", emit=emit, on_text=on_text)
        return Answered(completion, account(decision, room, completion))

    def request(
        self, number: int, text: str, decision: Decision, room: Room, *, facts: Sequence[Quoted] = ()
    ) -> CompletionRequest:
        """The request that answers an input."""
        kept = [one for one in decision.kept if one is not decision.flash]
        flash = decision.flash if decision.flash in decision.kept else None
        prompt = render(
            "chat/answer",
            {
                "system": self._system,
                "facts": facts,
                "memories": [self._quoted(one) for one in kept],
                "labels": [Quoted(one.candidate.label, {}) for one in kept],
                "flash": None if flash is None else self._quoted(flash),
                "input": Quoted(text, {**memory_reference(self._namespace, number), "part": "observation"}),
            },
        )
        return request_of(prompt, max_tokens=room.answer, temperature=_TEMPERATURE, seed=number)

    def _quoted(self, one: Fitted) -> Quoted:
        where = memory_reference(self._namespace, one.candidate.number)
        return Quoted(one.text, {**where, "form": one.form, "characters": len(one.text)})

    def _prompt(self, text: str, labels: Sequence[str], *, facts: Sequence[Quoted]) -> RenderedPrompt:
        return render(
            "chat/answer",
            {
                "system": self._system,
                "facts": facts,
                "memories": [Quoted("", {}) for _ in labels],
                "labels": [Quoted(label, {}) for label in labels],
                "flash": None,
                "input": Quoted(text, {}),
            },
        )


def account(decision: Decision, room: Room, completion: Completion) -> dict[str, JsonValue]:
    """Where the tokens of a prompt went. `joints` is what the engine counted beside the parts: the markers of its chat
    template, less what texts take less together than one by one."""
    flash = decision.flash.tokens if decision.flash is not None and decision.flash in decision.kept else 0
    recalled = decision.tokens - flash
    parts = room.template + room.facts + room.input + decision.tokens
    told = completion.usage.prompt_tokens
    return {
        "window": room.window,
        "template": room.template,
        "facts": room.facts,
        "memories": recalled,
        "flash": flash,
        "input": room.input,
        "joints": told - parts if told else 0,
        "prompt": told or parts,
        "reserved": room.answer,
        "answer": completion.usage.completion_tokens,
    }
