"""Routing with the small real model: rules decide nearly all, and its constrained choice the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from longdoc.app.bootstrap import Workspace
from longdoc.engines.embedded import EmbeddedEngine
from tests.app.chatting import with_workspace
from tests.app.routing_set import Routed, cases, routed, share_right, told_wrong
from tests.models import require_model


@pytest.mark.timeout(900)
def test_with_the_embedded_model_at_least_95_percent_come_right(tmp_path: Path) -> None:
    found: list[Routed] = []

    async def work(workspace: Workspace) -> None:
        try:
            found.extend(await routed(workspace, cases()))
        finally:
            await workspace.engine.aclose()

    with_workspace(tmp_path, EmbeddedEngine(require_model(), context_window=8192, slots=1, toy=True), work)
    assert len(found) >= 150
    assert all(step.route.reason for one in found for step in one.plan.steps)
    assert share_right(found) >= 0.95, told_wrong(found)
