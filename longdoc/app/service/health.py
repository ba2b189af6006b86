"""Routes for who runs the service: whether it is there, whether it can work, and what it has done."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from longdoc.app.service.callers import PROBLEMS, Administering, parts_of
from longdoc.app.service.replies import reply
from longdoc.app.service.views import HealthView

router = APIRouter(tags=["service"], responses=PROBLEMS)
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/health", response_model=HealthView)
async def get_health(request: Request) -> Response:
    """Whether the process is there."""
    return reply(HealthView("ok", parts_of(request).workspace.engine))


@router.get("/ready", response_model=HealthView)
async def get_ready(request: Request) -> Response:
    """Whether the record can be read."""
    parts = parts_of(request)
    await parts.library.records.api_keys.any()
    return reply(HealthView("closing" if parts.closing.is_set() else "ready", parts.workspace.engine))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(asked: Administering) -> Response:
    """Counts and times, for Prometheus."""
    return Response(asked.parts.metrics.text(), media_type=_METRICS)
