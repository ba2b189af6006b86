"""Routes that do something for a user: what of them stands before a request, and the answer itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from longdoc.agents.profile_tasks import find_task
from longdoc.app.bootstrap import Workspace
from longdoc.app.personalize import NEEDS_EMBEDDER, PersonalRequest, personal_context, personalize
from longdoc.app.service.bodies import ContextBody, PersonalizeBody
from longdoc.app.service.callers import PROBLEMS, Asked, Personalizing
from longdoc.app.service.parts import quiet
from longdoc.app.service.problems import problem, service_error
from longdoc.app.service.replies import event, reply
from longdoc.app.service.views import AnswerView, ContextView, PieceView
from longdoc.errors import LdaError

router = APIRouter(prefix="/v1", tags=["personalize"], responses=PROBLEMS)
EVENTS: Final = "text/event-stream"
EVENTS_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {EVENTS: {"schema": {"type": "string"}}}}}
_END: Final = object()


@router.post("/context", response_model=ContextView)
async def make_context(asked: Personalizing, body: ContextBody) -> Response:
    """What of a user stands before a request. No model is called for it, none need be there; tokens are estimated."""
    profile = await asked.profile(body.user)
    library = asked.parts.library
    embedder = library.embedder if body.ranked in NEEDS_EMBEDDER else None
    found = await personal_context(library.records, profile, _request(asked, body), embedder=embedder)
    return reply(ContextView.of(found))


@router.post("/personalize", response_model=AnswerView, responses=EVENTS_RESPONSE)
async def answer(asked: Personalizing, body: PersonalizeBody) -> Response:
    """An answer for a user. With `stream`: events `text` with pieces of it, then `answer` or `problem`."""
    request = _request(asked, body)
    await asked.profile(body.user)
    workspace = await asked.parts.workspace.opened()
    await asked.profile(body.user)  # once more: an engine may have taken long to open
    if body.stream:
        return StreamingResponse(_pieces(workspace, asked, body.user, request), media_type=EVENTS)
    return reply(AnswerView.of(await personalize(workspace, asked.tenant, body.user, request, emit=quiet, make=False)))


def _request(asked: Asked, body: ContextBody) -> PersonalRequest:
    return PersonalRequest(
        find_task(asked.parts.tasks, body.task),
        body.query,
        take=body.k,
        summary=body.summary,
        ranked=body.ranked,
        budget=body.budget,
        before=body.before,
        without=tuple(body.without),
    )


async def _pieces(
    workspace: Workspace, asked: Asked, user: str, request: PersonalRequest
) -> AsyncGenerator[bytes, None]:
    """The events of an answer. Who stops listening stops it."""
    pieces: asyncio.Queue[str | object] = asyncio.Queue()
    work = personalize(workspace, asked.tenant, user, request, emit=quiet, on_text=pieces.put_nowait, make=False)
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda _: pieces.put_nowait(_END))
    try:
        while (piece := await pieces.get()) is not _END:
            yield event("text", PieceView(str(piece)))
        yield event("answer", AnswerView.of(await task))
    except LdaError as error:
        told = service_error(error)
        yield event("problem", problem(told.status, told.kind, str(told)))
    finally:
        task.cancel()
        await asyncio.wait([task])
