"""Spans: a run with its calls under it, what they tell, what they keep to themselves, and where they go."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from longdoc.agents.calls import call
from longdoc.app.bootstrap import Workspace, open_records, open_workspace, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.runs import OpenRun, open_run
from longdoc.app.tracing import exporter_names
from longdoc.client import Client, calls
from longdoc.client.calls import NewItem
from longdoc.config import Settings
from longdoc.engines.budget import Budget
from longdoc.engines.engine import CompletionRequest, Message, PromptOrigin
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import BudgetExceededError, ConfigError
from longdoc.storage.runs import RunRequest
from tests.e2e.command import Lda
from tests.service.test_jobs import served

SECRET = "the harbour master's secret"
REQUEST = RunRequest("ask", SECRET, (), {}, "scripted")


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """Where the spans of this process go, from here on: a provider is set once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    provider.shutdown()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Callable[[], Sequence[ReadableSpan]]:
    exporter.clear()
    return exporter.get_finished_spans


def asked(text: str = SECRET) -> CompletionRequest:
    messages = (Message("system", f"{text} stands here"), Message("user", text))
    return CompletionRequest(messages, 20, seed=7, origin=PromptOrigin("ask/answer", 3))


async def ask(run: OpenRun, text: str = SECRET) -> None:
    await call(run.engine, asked(text), purpose="a test", emit=run.emit)


def carry_out(
    path: Path,
    work: Callable[[OpenRun], Awaitable[None]],
    *,
    budget: Budget | None = None,
    content: bool = False,
    answer: Callable[[CompletionRequest], str] = lambda request: f"Yes, {request.messages[-1].content}.",
) -> None:
    """A run over a record of its own; what it raises is left."""

    async def main() -> None:
        settings = Settings(database=str(path / "record.db"))
        async with open_records(settings) as records:
            engine = wrap_engine(ScriptedEngine(answer), settings, budget or Budget())
            workspace = Workspace(records, engine, LateEmbedder(_none, notify=lambda _: None), content)
            async with open_run(workspace, REQUEST, fresh=False, emit=lambda _: None) as run:
                await work(run)

    asyncio.run(main())


async def _none() -> EmbedderChoice:
    raise ConfigError("nothing here is embedded")


def under(parent: ReadableSpan, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    return [one for one in spans if one.parent is not None and one.parent.span_id == parent.context.span_id]


def of_run(spans: Sequence[ReadableSpan]) -> ReadableSpan:
    (run,) = (one for one in spans if one.name == "invoke_workflow ask")
    return run


Spans = Callable[[], Sequence[ReadableSpan]]


def test_the_calls_of_a_run_lie_under_it_also_those_of_its_tasks(tmp_path: Path, spans: Spans) -> None:
    async def work(run: OpenRun) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(3):
                tasks.create_task(ask(run, f"Question {number}"))

    carry_out(tmp_path, work)

    run = of_run(spans())
    assert run.parent is None
    assert [one.name for one in under(run, spans())] == ["chat scripted"] * 3
    told = dict(run.attributes or {})
    assert told["gen_ai.workflow.name"] == "ask"
    assert told["longdoc.run.status"] == "done"
    assert len(str(told["longdoc.run.id"])) == 10
    assert (told["longdoc.run.calls"], told["longdoc.run.recorded_calls"]) == (3, 0)


def test_a_call_tells_what_was_asked_and_taken_by_the_names_of_the_conventions(tmp_path: Path, spans: Spans) -> None:
    carry_out(tmp_path, ask)

    (call_,) = under(of_run(spans()), spans())
    told = dict(call_.attributes or {})
    assert (
        told
        | {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "scripted",
            "gen_ai.request.model": "scripted",
            "gen_ai.request.max_tokens": 20,
            "gen_ai.request.seed": 7,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.prompt.name": "ask/answer",
            "longdoc.prompt.version": 3,
            "gen_ai.usage.input_tokens": 14,
            "gen_ai.usage.output_tokens": 9,
            "longdoc.call.recorded": False,
        }
        == told
    )
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    assert {name for name in told if name.startswith("gen_ai.")} <= known


def test_what_comes_from_the_record_says_so_and_has_no_usage(tmp_path: Path, spans: Spans) -> None:
    async def twice(run: OpenRun) -> None:
        await ask(run)
        await ask(run)

    carry_out(tmp_path, twice)

    made, recorded = (dict(one.attributes or {}) for one in under(of_run(spans()), spans()))
    assert (made["longdoc.call.recorded"], recorded["longdoc.call.recorded"]) == (False, True)
    assert made["longdoc.call.id"] == recorded["longdoc.call.id"]
    assert not [name for name in recorded if "usage" in name]


def test_neither_prompts_nor_answers_are_told_by_default(tmp_path: Path, spans: Spans) -> None:
    carry_out(tmp_path, ask)

    assert len(spans()) == 2
    assert SECRET not in "".join(one.to_json() for one in spans())


def test_content_is_told_where_the_setting_says_so(tmp_path: Path, spans: Spans) -> None:
    carry_out(tmp_path, ask, content=True)

    run = of_run(spans())
    assert (run.attributes or {})["longdoc.run.title"] == SECRET
    told = dict(under(run, spans())[0].attributes or {})
    said = {name: json.loads(str(told[f"gen_ai.{name}"])) for name in ("input.messages", "output.messages")}
    assert said["input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": SECRET}]}]
    answer = {"role": "assistant", "parts": [{"type": "text", "content": f"Yes, {SECRET}."}], "finish_reason": "stop"}
    assert said["output.messages"] == [answer]
    assert json.loads(str(told["gen_ai.system_instructions"]))[0]["content"] == f"{SECRET} stands here"


def test_the_setting_is_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LDA_TRACE_CONTENT", "true")
    settings = Settings(engine="scripted", database=str(tmp_path / "record.db"))

    async def main() -> bool:
        opened = open_workspace(settings, budget=Budget(), notify=lambda _: None, progress=lambda *_: None)
        async with opened as workspace:
            return workspace.trace_content

    assert asyncio.run(main())


def test_an_error_is_told_by_its_kind_alone(tmp_path: Path, spans: Spans) -> None:
    def refuse(request: CompletionRequest) -> str:
        raise ValueError(f"{request.messages[-1].content} is no question")

    with pytest.raises(ValueError, match="no question"):
        carry_out(tmp_path, ask, answer=refuse)

    run = of_run(spans())
    for one in (run, *under(run, spans())):
        assert one.status.status_code is trace.StatusCode.ERROR
        assert (one.attributes or {})["error.type"] == "ValueError"
        assert not one.events
        assert SECRET not in one.to_json()
    assert (run.attributes or {})["longdoc.run.status"] == "failed"


def test_a_spent_budget_is_an_error_of_the_call_and_stops_the_run(tmp_path: Path, spans: Spans) -> None:
    with pytest.raises(BudgetExceededError):
        carry_out(tmp_path, ask, budget=Budget(max_calls=0))

    run = of_run(spans())
    assert (run.attributes or {})["longdoc.run.status"] == "stopped"
    assert (under(run, spans())[0].attributes or {})["error.type"] == "BudgetExceededError"


def test_what_is_interrupted_is_no_error(tmp_path: Path, spans: Spans) -> None:
    async def work(run: OpenRun) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        carry_out(tmp_path, work)

    run = of_run(spans())
    assert (run.attributes or {})["longdoc.run.status"] == "interrupted"
    assert run.status.status_code is trace.StatusCode.UNSET


def test_a_run_lies_under_the_span_of_the_program_that_asked_for_it(tmp_path: Path, spans: Spans) -> None:
    with trace.get_tracer("a program").start_as_current_span("nightly"):
        carry_out(tmp_path, ask)

    (nightly,) = (one for one in spans() if one.name == "nightly")
    assert under(nightly, spans()) == [of_run(spans())]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_run_that_is_closed_in_another_task_than_it_was_opened_in_is_told_quietly(
    tmp_path: Path, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        settings = Settings(database=str(tmp_path / "record.db"))
        async with open_records(settings) as records:
            engine = wrap_engine(ScriptedEngine(), settings, Budget())
            workspace = Workspace(records, engine, LateEmbedder(_none, notify=lambda _: None))
            opened = open_run(workspace, REQUEST, fresh=False, emit=lambda _: None)
            await asyncio.create_task(opened.__aenter__())
            await asyncio.create_task(opened.__aexit__(None, None, None))

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())

    assert (of_run(spans()).attributes or {})["longdoc.run.status"] == "done"
    assert not caplog.records


def test_embeddings_are_spans(tmp_path: Path, spans: Spans) -> None:
    settings = Settings(engine="scripted", database=str(tmp_path / "record.db"))

    async def main() -> None:
        opened = open_workspace(settings, budget=Budget(), notify=lambda _: None, progress=lambda *_: None)
        async with opened as workspace:
            await workspace.embedder.embed([SECRET, "another"])

    asyncio.run(main())

    (one,) = spans()
    assert one.name == "embeddings hashed-words"
    assert (one.attributes or {})["longdoc.texts"] == 2
    assert SECRET not in one.to_json()


def test_a_program_without_tracing_loads_none_of_it(tmp_path: Path) -> None:
    program = """
import sys
from longdoc import LongDoc
with LongDoc(engine="scripted", database="record.db") as lda:
    lda.chat("ann").send("Hello.")
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, ()),
        ({"OTEL_TRACES_EXPORTER": "none"}, ()),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ("console", "otlp_proto_http")),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, ("otlp_proto_http",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, ("otlp_proto_http",)),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            ("otlp_proto_grpc",),
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"}, ()),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}, ()),
    ],
)
def test_the_standard_settings_name_the_exporters(environment: dict[str, str], names: tuple[str, ...]) -> None:
    assert exporter_names(environment) == names


def test_the_command_writes_spans_beside_its_result(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The light was lit. Nobody came.", "utf-8")
    lda = Lda(tmp_path, {"LDA_ENGINE": "scripted", "OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "reader"})

    done = lda.run("ask", "note.txt", "Who came?", "--quiet")

    assert done.returncode == 0, done.stderr
    assert "invoke_workflow" not in done.stdout
    assert '"name": "invoke_workflow ask"' in done.stderr
    assert '"service.name": "reader"' in done.stderr


def test_an_exporter_that_is_not_installed_is_told_and_the_command_goes_on(tmp_path: Path) -> None:
    lda = Lda(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})

    done = lda.run("config", "show")

    assert done.returncode == 0
    assert "no traces" in done.stderr
    assert "pip install opentelemetry-exporter-otlp-proto-grpc" in done.stderr


def test_settings_that_an_exporter_cannot_start_with_are_told_and_the_command_goes_on(tmp_path: Path) -> None:
    lda = Lda(tmp_path, {"OTEL_TRACES_EXPORTER": "console", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"})

    done = lda.run("config", "show")

    assert done.returncode == 0
    assert "no traces: OpenTelemetry cannot start" in done.stderr


def test_a_service_that_is_told_to_end_sends_its_last_spans(tmp_path: Path) -> None:
    lda = Lda(tmp_path, {"LDA_ENGINE": "scripted", "OTEL_TRACES_EXPORTER": "console"})
    process, address = served(lda)
    try:
        with Client(address) as client:
            client.send(calls.put_items("ann", [NewItem("title", "1", "A lamp in the night", "Lamp")]))
            client.send(calls.personalize("ann", "A light at sea", task="title"))
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert '"name": "invoke_workflow profile"' in told
