"""Spans of OpenTelemetry: opened where the program has tracing, and nothing at all where it has none.

Owns how a span begins, what of an error it tells, and how it ends; what is told of runs, calls and embeddings is left
to those who open them. Where spans go is the program's business (`app/tracing.py` for the command line).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.trace import Span

AttributeValue: TypeAlias = "str | int | float | bool | tuple[str, ...]"

_API = "opentelemetry.trace"


@contextmanager
def open_span(
    name: str, attributes: Mapping[str, AttributeValue], *, remote: bool = False, content: bool = False
) -> Generator[Span | None, None, None]:
    """A span, current for as long as the context lasts; None where the program has not loaded OpenTelemetry, or where
    nothing of this span would be kept.

    `remote`: what it tells of happens elsewhere. An error ends it with `error.type`, and with its message only if
    `content` may be told: servers quote prompts in theirs. What is cancelled is no error.
    """
    if _API not in sys.modules:
        yield None
        return
    from opentelemetry import context, trace

    tracer = trace.get_tracer("longdoc", _version())
    kind = trace.SpanKind.CLIENT if remote else trace.SpanKind.INTERNAL
    span = tracer.start_span(name, kind=kind, attributes=dict(attributes))
    before = context.get_current()
    context.attach(trace.set_span_in_context(span))
    try:
        yield span if span.is_recording() else None
    except Exception as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(trace.StatusCode.ERROR, str(error) if content else None)
        raise
    finally:
        # Attached again, not detached: an async generator may be closed in another context than it was begun in.
        if trace.get_current_span() is span:
            context.attach(before)
        span.end()


@cache
def _version() -> str:
    from importlib.metadata import version

    return version("longdoc")
