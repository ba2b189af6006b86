"""One call that does what is asked: without documents, or with all of them in it, after what was said before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from longdoc.agents.calls import call, request_of
from longdoc.agents.cleanup import without_asides
from longdoc.agents.events import CallFinished, Emit, Event, NodeDone, Planned, Warned
from longdoc.agents.follow_up import Turn
from longdoc.agents.full_text import most_text_tokens
from longdoc.app.bootstrap import Workspace
from longdoc.app.results import Shown, Source
from longdoc.app.runs import RunUsage, open_run
from longdoc.documents.document import Document
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import CompletionRequest, EngineInfo, Message, TextSink
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, render
from longdoc.storage.nodes import Node, NodeStatus
from longdoc.storage.runs import RunRequest

_MARGIN = 1.25
"""How far an estimate of tokens is trusted before a text counts as too long for one call."""
_TURNS_SHARE = 0.5
"""Of the window: what was said before."""
_TOKENS_PER_WORD = 2
_BESIDE = 64
"""Tokens that messages take beside their text."""
_LEAST_ANSWER, _USUAL_ANSWER = 256, 2_000


@dataclass(frozen=True, slots=True)
class CallResult(Shown):
    """What one call wrote; `cut` where it ran into its limit."""

    text: str
    run_id: str
    cut: bool = False
    usage: RunUsage = field(default_factory=RunUsage)

    @property
    def sources(self) -> tuple[Source, ...]:
        """None are traced: all of the text was before the model."""
        return ()


def room_for_documents(info: EngineInfo, instruction: str, *, background: int = 0) -> int:
    """How many tokens of text, by estimate, surely fit one call beside an instruction and so many of background."""
    room = most_text_tokens(info.context_window) / _MARGIN
    return max(0, math.floor(room - estimate_tokens(instruction) - background))


async def do_in_one_call(
    workspace: Workspace,
    instruction: str,
    documents: Sequence[Document] = (),
    *,
    turns: Sequence[Turn] = (),
    words: int | None = None,
    background: Quoted | None = None,
    fresh: bool = False,
    fresh_since: datetime | None = None,
    emit: Emit,
    on_text: TextSink | None = None,
) -> CallResult:
    """Do what is asked in one call; `background` is what is known of who asks.

    Of `turns` as many of the last ones are told as fill half of the window, or what the rest of the prompt leaves of
    it. With `fresh_since` (aware) nothing older counts. Raises what `Engine.complete` raises.
    """
    info = workspace.engine.info
    prompt = _prompt(instruction, documents, words=words, background=background)
    told = _recent(turns, info, read=_tokens(prompt), words=words)
    if len(told) < len(turns):
        emit(Warned(f"of {len(turns)} turns before, the last {len(told)} fit the window"))
    said: list[JsonValue] = [[turn.question, turn.answer] for turn in told]
    parameters: dict[str, JsonValue] = {"instruction": instruction}
    asked: dict[str, JsonValue] = {
        "turns": said or None,
        "words": words,
        "background": None if background is None else background.text,
    }
    parameters |= {name: value for name, value in asked.items() if value is not None}
    request = RunRequest(
        kind="call",
        title=instruction[:200],
        document_ids=tuple(document.id for document in documents),
        parameters=parameters,
        model=workspace.engine.info.identity,
    )
    for document in documents:
        await workspace.records.documents.save(document)
    calls: list[int] = []
    async with open_run(workspace, request, fresh=fresh, fresh_since=fresh_since, interactive=True, emit=emit) as run:

        def noting(event: Event) -> None:
            if isinstance(event, CallFinished) and event.completion.call_id is not None:
                calls.append(event.completion.call_id)
            run.emit(event)

        run.emit(Planned(1, "one call"))
        asking = _request(info, prompt, turns=told, words=words)
        answer = await call(run.engine, asking, purpose="answer", emit=noting, on_text=on_text)
        text = without_asides(answer.text).strip()
        status = NodeStatus.TRUNCATED if answer.cut else NodeStatus.DONE
        node = Node(f"{run.id}.0", run.id, 0, 0, instruction[:200], text, status, word_limit=words)
        await workspace.records.nodes.save(node, calls=calls)
        run.result_node = node.id
        run.emit(NodeDone(node.id, 0, "the answer", gap=False))
    return CallResult(text, run.id, answer.cut, run.usage)


def _prompt(
    instruction: str, documents: Sequence[Document], *, words: int | None, background: Quoted | None
) -> RenderedPrompt:
    return render(
        "route/call",
        {
            "background": background,
            "documents": [
                Quoted(one.text, {"document": one.id, "start": 0, "end": len(one.text)}) for one in documents
            ],
            "request": instruction.strip(),
            "words": words,
        },
    )


def _request(
    info: EngineInfo, prompt: RenderedPrompt, *, turns: Sequence[Turn], words: int | None
) -> CompletionRequest:
    before = [message for turn in turns for message in _messages(turn)]
    read = sum(estimate_tokens(message.content) for message in before) + _tokens(prompt)
    request = request_of(prompt, max_tokens=_answer_tokens(info, read, words))
    system, user = request.messages
    told: list[JsonValue] = [[turn.question, turn.answer] for turn in turns]
    origin = request.origin
    if origin is not None and told:
        origin = replace(origin, inputs={**origin.inputs, "turns": told})
    return replace(request, messages=(system, *before, user), origin=origin)


def _messages(turn: Turn) -> Sequence[Message]:
    return Message("user", turn.question), Message("assistant", turn.answer)


def _answer_tokens(info: EngineInfo, read: float, words: int | None) -> int:
    """The most tokens of an answer: what the window leaves, but no more than is of use."""
    left = info.context_window - math.ceil(read * _MARGIN) - _BESIDE
    wanted = max(_USUAL_ANSWER, (words or 0) * _TOKENS_PER_WORD)
    return max(min(_LEAST_ANSWER, info.context_window // 4), min(wanted, left, info.max_output or wanted))


def _tokens(prompt: RenderedPrompt) -> float:
    return estimate_tokens(prompt.system) + estimate_tokens(prompt.user)


def _recent(turns: Sequence[Turn], info: EngineInfo, *, read: float, words: int | None) -> Sequence[Turn]:
    """As many of the last turns as there is room for beside a prompt of about `read` tokens and a usual answer."""
    window = info.context_window
    answer = min(window // 4, max(_USUAL_ANSWER, (words or 0) * _TOKENS_PER_WORD))
    room = min(window * _TURNS_SHARE / _MARGIN, (window - answer - _BESIDE) / _MARGIN - read)
    kept = len(turns)
    while kept:
        room -= sum(estimate_tokens(text) for text in (turns[kept - 1].question, turns[kept - 1].answer))
        if room < 0:
            break
        kept -= 1
    return turns[kept:]
