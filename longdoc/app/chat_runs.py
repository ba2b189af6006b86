"""The runs of a session: its calls are recorded in them, and they go with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from longdoc.agents.events import Emit
from longdoc.app.bootstrap import Workspace
from longdoc.app.runs import OpenRun, open_run
from longdoc.storage.memory_types import Namespace
from longdoc.storage.runs import RunRequest


@asynccontextmanager
async def open_chat_run(
    workspace: Workspace, namespace: Namespace, *, interactive: bool, emit: Emit
) -> AsyncGenerator[OpenRun, None]:
    """Open a run of a session, and close it as `open_run` does; `interactive` where somebody waits."""
    request = RunRequest(
        kind="chat",
        title=str(namespace.name),
        document_ids=(),
        parameters={"namespace": namespace.id},
        model=workspace.engine.info.identity,
    )
    async with open_run(workspace, request, fresh=False, interactive=interactive, bound=True, emit=emit) as run:
        await workspace.records.memories.owns(namespace.id, run.id)
        yield run
