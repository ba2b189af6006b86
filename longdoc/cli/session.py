"""What every command that works with an engine goes through: workspace opened, progress shown, interrupts answered."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import typer

from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.cli.exits import ExitCode
from longdoc.cli.render import download_view, notifier
from longdoc.config import Settings
from longdoc.engines.budget import Budget


def run_session(
    settings: Settings, budget: Budget, work: Callable[[Workspace], Awaitable[ExitCode]], *, quiet: bool
) -> ExitCode:
    """Open a workspace, do the work, and return its exit code; Ctrl-C and SIGTERM stop it resumably.

    Raises what opening and the work raise.
    """

    async def session() -> ExitCode:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
        with download_view(quiet=quiet) as downloads:
            async with open_workspace(
                settings, budget=budget, notify=notifier(quiet=quiet), progress=downloads.show
            ) as workspace:
                downloads.stop()
                return await work(workspace)

    try:
        return asyncio.run(session())
    except KeyboardInterrupt:
        typer.echo("lda: interrupted; run the same command again to go on from here", err=True)
        return ExitCode.INTERRUPTED
