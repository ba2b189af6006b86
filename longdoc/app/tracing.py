"""Where spans of OpenTelemetry go when longdoc is a program of its own.

A program that uses longdoc as a library has its own provider; nothing is set up for it. Without OpenTelemetry's own
settings (`OTEL_*`, which are not among longdoc's) nothing is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from longdoc.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_EXPORTERS: Final = "OTEL_TRACES_EXPORTER"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP: Final = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


@contextmanager
def traced(notify: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> Generator[None, None, None]:
    """Send spans where the standard settings of OpenTelemetry say, for as long as the context lasts.

    Nothing happens where none is set, or where the program was started with a provider (`opentelemetry-instrument`).
    What cannot be had is told on `notify`: a trace that cannot be written is no reason to do no work.
    """
    names = exporter_names(environment)
    if not names:
        yield
        return
    try:
        end = _start(names)
    except ConfigError as error:
        notify(f"no traces: {error}")
        yield
        return
    try:
        yield
    finally:
        end()


def flush() -> None:
    """Send the spans that wait, where a provider keeps some: a program that a signal ends does not come to its end."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    if isinstance(provider := trace.get_tracer_provider(), TracerProvider):
        provider.force_flush()


def exporter_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The exporters that are asked for: those named, else the one of OTLP where an address is set."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    named = tuple(filter(None, (name.strip() for name in environment.get(_EXPORTERS, "").split(","))))
    if not named and any(environment.get(name) for name in _ENDPOINTS):
        named = ("otlp",)
    protocol = next((environment[name].strip() for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
    return tuple(_OTLP.get(protocol, protocol) if name == "otlp" else name for name in named if name != "none")


def _start(names: tuple[str, ...]) -> Callable[[], None]:
    """Make the provider; what is returned sends what is left, and ends it. Raises `ConfigError`."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise ConfigError("they need OpenTelemetry; install it with: pip install 'longdoc[otel]'")
    from opentelemetry import trace
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return _nothing
    try:
        processors = [BatchSpanProcessor(_exporter(name)) for name in names]
        own = Resource({"service.name": "longdoc"}).merge(OTELResourceDetector().detect())  # what is set goes first
        provider = TracerProvider(resource=Resource.create(own.attributes), shutdown_on_exit=False)
    except ConfigError:
        raise
    except Exception as error:  # whatever an exporter makes of its settings, or of what it lacks
        raise ConfigError(f"OpenTelemetry cannot start with these settings: {error}") from error
    for processor in processors:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return provider.shutdown


def _exporter(name: str) -> SpanExporter:
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)  # standard output is for results
    found = next(iter(entry_points(group="opentelemetry_traces_exporter", name=name)), None)
    if found is None:
        package = (
            f"opentelemetry-exporter-{name.replace('_', '-')}" if name in _OTLP.values() else "(the package it is in)"
        )
        raise ConfigError(f"the exporter {name!r} is not installed; pip install {package}")
    return found.load()()


def _nothing() -> None:
    """A provider that was there before is ended by those who made it."""
