"""The life of a run: whatever ends it, its status says so, and what it took is counted."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from longdoc.agents.calls import call
from longdoc.app.bootstrap import Records, Workspace, open_records, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.runs import OpenRun, open_run
from longdoc.config import Settings
from longdoc.engines.budget import Budget
from longdoc.engines.engine import CompletionRequest, Message
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import BudgetExceededError, ConfigError
from longdoc.storage.runs import Run, RunRequest, RunStatus

REQUEST = RunRequest("test", "A test", (), {}, "scripted")


async def ask(run: OpenRun, text: str = "hello") -> None:
    await call(run.engine, CompletionRequest((Message("user", text),), 20), purpose="a test", emit=run.emit)


def outcome(path: Path, work: Callable[[OpenRun], Awaitable[None]], *, max_calls: int | None = None) -> Run:
    """The run as stored after `work`, whatever that raised."""

    async def main() -> Run:
        settings = Settings(database=str(path / "record.db"))
        async with open_records(settings) as records:
            await asyncio.gather(_work(records, settings), return_exceptions=True)
            (run,) = await records.runs.list()
            return run

    async def _work(records: Records, settings: Settings) -> None:
        engine = wrap_engine(ScriptedEngine(lambda _: "Yes."), settings, Budget(max_calls=max_calls))
        workspace = Workspace(records, engine, LateEmbedder(_no_embedder, notify=lambda _: None))
        async with open_run(workspace, REQUEST, fresh=False, emit=lambda _: None) as run:
            await work(run)

    return asyncio.run(main())


async def _no_embedder() -> EmbedderChoice:
    raise ConfigError("nothing here is embedded")


def raising(error: BaseException) -> Callable[[OpenRun], Awaitable[None]]:
    async def work(run: OpenRun) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BudgetExceededError("calls", limit=1, needed=2), RunStatus.STOPPED),
        (ConfigError("no"), RunStatus.FAILED),
        (ValueError("a bug"), RunStatus.FAILED),
        (asyncio.CancelledError(), RunStatus.INTERRUPTED),
    ],
)
def test_what_ends_a_run_is_its_status(tmp_path: Path, error: BaseException, status: RunStatus) -> None:
    assert outcome(tmp_path, raising(error)).status is status


def test_a_run_that_comes_to_its_end_has_the_status_its_work_gave_it(tmp_path: Path) -> None:
    async def work(run: OpenRun) -> None:
        run.status = RunStatus.GAPS

    assert outcome(tmp_path, work).status is RunStatus.GAPS


def test_calls_made_and_calls_recorded_are_counted_apart(tmp_path: Path) -> None:
    async def work(run: OpenRun) -> None:
        for text in ("one", "two", "one"):
            await ask(run, text)
        assert (run.usage.calls, run.usage.recorded) == (2, 1)
        assert run.usage.tokens.prompt_tokens == 2

    assert outcome(tmp_path, work).status is RunStatus.DONE


def test_a_spent_budget_stops_the_run_resumably(tmp_path: Path) -> None:
    async def work(run: OpenRun) -> None:
        await ask(run, "one")
        await ask(run, "two")

    assert outcome(tmp_path, work, max_calls=1).status is RunStatus.STOPPED
