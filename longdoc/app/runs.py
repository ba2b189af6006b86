"""The life of a run, the same for every capability: opened, worked on, and closed with the right status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from longdoc.agents.events import CallFinished, Emit, Event
from longdoc.app.bootstrap import Workspace
from longdoc.engines.engine import Engine, EngineInfo, Usage
from longdoc.engines.spans import AttributeValue, open_span
from longdoc.errors import LdaError
from longdoc.storage.runs import Run, RunRequest, Runs, RunStatus


@dataclass(slots=True)
class RunUsage:
    """What a run has taken so far: calls made and calls answered from the record, tokens and dollars of the former.

    `seconds` is wall time.
    """

    calls: int = 0
    recorded: int = 0
    retries: int = 0
    tokens: Usage = field(default_factory=Usage)
    cost: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class OpenRun:
    """A run under way: its engine (behind the ledger), its events, its usage.

    The work sets `status` (done, or done with gaps) and the node that is the result.
    """

    id: str
    engine: Engine
    usage: RunUsage
    emit: Emit
    status: RunStatus = RunStatus.DONE
    result_node: str | None = None


@asynccontextmanager
async def open_run(
    workspace: Workspace,
    request: RunRequest,
    *,
    fresh: bool,
    fresh_since: datetime | None = None,
    interactive: bool = False,
    bound: bool = False,
    emit: Emit,
) -> AsyncGenerator[OpenRun, None]:
    """Open a run and close it with the status its work earned, also when it fails or is interrupted.

    What was recorded before `fresh_since` (aware), or before a `fresh` start, does not count. The calls of an
    `interactive` run, for which somebody waits, go before others where the engine can. Those of a `bound` one are not
    recorded any more once it is deleted. Raises what the claim on the run raises; nothing is left of a new run then.
    """
    started = await workspace.records.runs.start(request, fresh=fresh)
    if workspace.claim is not None:
        await _claimed(workspace.records.runs, started, workspace.claim)
        bound = True
    usage = RunUsage()
    run = OpenRun(
        id=started.id,
        engine=workspace.recorded_engine(
            started.id,
            fresh_since=max(filter(None, (fresh_since, started.fresh_since)), default=None),
            interactive=interactive,
            bound=started.created_at if bound else None,
        ),
        usage=usage,
        emit=_tallied(emit, usage, workspace.engine.info),
    )
    with _span(run, request, content=workspace.trace_content):
        async with _closed(workspace.records.runs, run):
            yield run


async def _claimed(runs: Runs, run: Run, claim: Callable[[str], Awaitable[None]]) -> None:
    """Claim a run. One that cannot be claimed is deleted, unless it was there before: what it asks may quote a user who
    is gone."""
    try:
        await claim(run.id)
    except BaseException:
        if run.created_at == run.started_at:
            await asyncio.shield(runs.delete(run.id))
        raise


@asynccontextmanager
async def _closed(runs: Runs, run: OpenRun) -> AsyncGenerator[None, None]:
    """Close the run with the status it has or, where the work raises, the one that tells of it."""
    try:
        yield
    except asyncio.CancelledError:
        run.status = RunStatus.INTERRUPTED
        await asyncio.shield(runs.finish(run.id, run.status))
        raise
    except LdaError as error:
        run.status = RunStatus.STOPPED if error.resumable else RunStatus.FAILED
        await runs.finish(run.id, run.status, error=str(error))
        raise
    except BaseException as error:
        # A bug, or an exit, has to leave the run closed as well: "running" would be said of it for ever. Kept last,
        # since what is above is also a BaseException.
        run.status = RunStatus.FAILED
        await runs.finish(run.id, run.status, error=f"{type(error).__name__}: {error}")
        raise
    await runs.finish(run.id, run.status, result_node=run.result_node)


@contextmanager
def _span(run: OpenRun, request: RunRequest, *, content: bool) -> Generator[None, None, None]:
    """The span of a run, under which those of its calls lie; its title, which may quote, only with `content`."""
    asked: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": request.kind,
        "gen_ai.request.model": run.engine.info.model,
        "longdoc.run.id": run.id,
        "longdoc.run.documents": len(request.document_ids),
    }
    if content:
        asked["longdoc.run.title"] = request.title
    with open_span(f"invoke_workflow {request.kind}", asked, content=content) as span:
        try:
            yield
        finally:
            if span is not None:
                usage = run.usage
                span.set_attributes(
                    {
                        "longdoc.run.status": str(run.status),
                        "longdoc.run.calls": usage.calls,
                        "longdoc.run.recorded_calls": usage.recorded,
                        "longdoc.run.input_tokens": usage.tokens.prompt_tokens,
                        "longdoc.run.output_tokens": usage.tokens.completion_tokens,
                        "longdoc.run.cost": usage.cost,
                    }
                )


def _tallied(emit: Emit, usage: RunUsage, info: EngineInfo) -> Emit:
    """The same events, counted into `usage` on their way."""
    started = time.monotonic()

    def tally(event: Event) -> None:
        usage.seconds = time.monotonic() - started
        if isinstance(event, CallFinished) and event.completion.recorded:
            usage.recorded += 1
        elif isinstance(event, CallFinished):
            usage.calls += 1
            usage.retries += event.completion.retries
            usage.tokens += event.completion.usage
            usage.cost += info.cost(event.completion.usage)
        emit(event)

    return tally
