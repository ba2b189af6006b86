"""What every command that works with the record goes through: opened, progress shown, interrupts answered."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import typer

from longdoc.app.bootstrap import Library, Workspace, open_library, open_workspace
from longdoc.app.engine_choice import Notify, Progress
from longdoc.cli.exits import ExitCode
from longdoc.cli.render import download_view, notifier
from longdoc.config import Settings
from longdoc.engines.budget import Budget

T = TypeVar("T")


def run_session(
    settings: Settings, budget: Budget, work: Callable[[Workspace], Awaitable[ExitCode]], *, quiet: bool
) -> ExitCode:
    """Open a workspace, do the work, and return its exit code; Ctrl-C and SIGTERM stop it resumably.

    Raises what opening and the work raise.
    """

    def opened(notify: Notify, progress: Progress) -> AbstractAsyncContextManager[Workspace]:
        return open_workspace(settings, budget=budget, notify=notify, progress=progress)

    return _run(opened, work, quiet=quiet)


def run_library_session(settings: Settings, work: Callable[[Library], Awaitable[ExitCode]], *, quiet: bool) -> ExitCode:
    """As `run_session`, for what needs no engine."""

    def opened(notify: Notify, progress: Progress) -> AbstractAsyncContextManager[Library]:
        return open_library(settings, notify=notify, progress=progress)

    return _run(opened, work, quiet=quiet)


def _run(
    opened: Callable[[Notify, Progress], AbstractAsyncContextManager[T]],
    work: Callable[[T], Awaitable[ExitCode]],
    *,
    quiet: bool,
) -> ExitCode:
    async def session() -> ExitCode:
        # Not by way of SIGINT, which a process that a shell put in the background ignores.
        if (here := asyncio.current_task()) is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, here.cancel)
        with download_view(quiet=quiet) as downloads:
            async with opened(notifier(quiet=quiet), downloads.show) as place:
                downloads.stop()
                return await work(place)

    try:
        return asyncio.run(session())
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("lda: interrupted; run the same command again to go on from here", err=True)
        return ExitCode.INTERRUPTED
