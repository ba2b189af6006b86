"""Chat completions in the shape of OpenAI's, for messages and documents of any length.

What is asked goes through the orchestrator; the answer has marks and a list of its sources. Of documents an answer is
sent once its quotations are checked; without documents while it is written.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from longdoc.app.bootstrap import Workspace
from longdoc.app.orchestrator import Capability, DoRequest, DoResult, do
from longdoc.app.service.callers import Asked, Writing
from longdoc.app.service.chat_completions_bodies import CompletionBody
from longdoc.app.service.chat_completions_live import Live
from longdoc.app.service.chat_completions_reading import BodyReading, read_bodies
from longdoc.app.service.chat_completions_replies import (
    DONE,
    AnswerMessageView,
    ChoiceView,
    Chunks,
    CompletionView,
    LongDocView,
    UsageView,
    comment,
    token_pieces,
    written,
)
from longdoc.app.service.chat_completions_work import Told, Work, gone
from longdoc.app.service.openai_errors import OPENAI_ERRORS
from longdoc.app.service.openai_models import find_collection, find_model
from longdoc.app.service.problems import refused, service_error
from longdoc.app.service.replies import reply
from longdoc.errors import LdaError
from longdoc.storage.api_keys import Scope

router = APIRouter(prefix="/v1/chat/completions", tags=["openai"], responses=OPENAI_ERRORS)

_EVENTS: Final = "text/event-stream"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {_EVENTS: {"schema": {"type": "string"}}},
        "description": "The completion, or with `stream` its chunks.",
    }
}
_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class _Question:
    """A request as it is answered."""

    body: CompletionBody
    model: str
    reading: BodyReading
    request: DoRequest

    @property
    def live(self) -> bool:
        """Whether text is sent while it is written: that of documents is checked first."""
        of_documents = bool(self.request.documents) or self.request.collection is not None
        return self.body.longdoc.live or not of_documents


@router.post("", response_model=CompletionView, responses=_RESPONSES)
async def complete(request: Request, asked: Writing, body: CompletionBody) -> Response:
    """Answer messages of any length. Texts of more than 4,000 characters are documents, as are files."""
    body.check()
    workspace = await asked.parts.workspace.opened()
    question = await _question(asked, workspace, body)
    work = Work(lambda emit, on_text: do(workspace, question.request, emit=emit, on_text=on_text), asked.parts.closing)
    chunks = Chunks(f"chatcmpl-{secrets.token_hex(_ID_BYTES)}", int(time.time()), question.model)
    if body.stream:
        return StreamingResponse(_events(work, question, chunks), media_type=_EVENTS)
    async with gone(request, work):
        result = await work.result()
    return reply(_completion(result, work, question, chunks))


async def _question(asked: Asked, workspace: Workspace, body: CompletionBody) -> _Question:
    """What a request asks. Raises `ServiceError`, `NotFoundError`, `ConfigError`, `DocumentError`."""
    own, records = body.longdoc, workspace.records
    model = await find_model(records, asked.tenant, workspace.engine.info.model, body.model)
    collection = model.collection
    if own.collection is not None:
        collection = await find_collection(records, asked.tenant, own.collection)
    if own.user is not None:
        asked.caller.check(Scope.PERSONALIZE)
        await asked.profile(own.user)
    reading = await read_bodies(asked, body.messages, of_documents=collection is not None)
    read = reading.asked
    request = DoRequest(
        read.instruction,
        documents=tuple(read.documents.values()),
        collection=collection,
        user=own.user,
        tenant=asked.tenant.name,
        turns=tuple(read.turns),
        capability=_capability(own.capability),
        words=own.words,
    )
    return _Question(body, model.id, reading, request)


def _capability(name: str | None) -> Capability | None:
    try:
        return None if name is None else Capability(name)
    except ValueError as error:
        known = ", ".join(Capability)
        raise refused(
            HTTPStatus.BAD_REQUEST, "invalid", f"there is no capability {name!r}; choose one of: {known}"
        ) from error


def _completion(result: DoResult, work: Work, question: _Question, chunks: Chunks) -> CompletionView:
    answer = written(result, stops=question.body.stops, most_tokens=question.body.most_tokens)
    choice = ChoiceView(AnswerMessageView(answer.text), answer.finish)
    view = _view(result, work, question)
    return CompletionView(chunks.id, chunks.created, chunks.model, [choice], UsageView.of(result.usage), view)


def _view(result: DoResult, work: Work, question: _Question) -> LongDocView:
    return LongDocView.of(result, question.reading.files, [*question.reading.asked.warnings, *work.warnings])


async def _events(work: Work, question: _Question, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    """The chunks of a completion. Who stops listening stops it."""
    live = Live(question.body.stops, question.body.most_tokens)
    try:
        yield chunks.begin()
        async for told in work.told():
            if isinstance(told, Told):
                yield comment(told.text)
            elif question.live and (text := live.take(told)):
                yield chunks.text(text)
        result = await work.result()
        rest, finish = live.rest(result)
        for piece in token_pieces(rest):
            yield chunks.text(piece)
        yield chunks.end(finish, _view(result, work, question))
        options = question.body.stream_options
        if options is not None and options.include_usage:
            yield chunks.usage(result.usage)
        yield DONE
    except LdaError as error:
        yield chunks.error(service_error(error))
    finally:
        await work.aclose()
