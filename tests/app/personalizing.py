"""Users with planted preferences, a reader that uses what it is shown, and a workspace around it, for tests."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from longdoc.app.bootstrap import Workspace, open_records
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import load_settings
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError
from longdoc.storage.profile_types import NewItem

_ITEM = re.compile(r"<item>\n(.*?)\n</item>", re.DOTALL)
_SUMMARY = re.compile(r"<summary>\n(.*?)\n</summary>", re.DOTALL)


def item(number: int, text: str, output: str | None = None, *, task: str = "title") -> NewItem:
    """An item that was made on the so many-eth day of 2024."""
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return NewItem(task, f"i{number}", text, output, at)


def reader(request: CompletionRequest) -> str:
    """Says of a user which word their titles begin with; titles as the user's, by summary or by items."""
    name = "" if request.origin is None else request.origin.name
    prompt = request.messages[-1].content
    items = _ITEM.findall(prompt)
    said = _SUMMARY.findall(prompt)
    first = Counter(one.split('"')[1].split()[0] for one in items if one.startswith('"'))
    if name == "profile/summary":
        known = re.findall(r"begin with (\S+)\.", said[0]) if said else []
        return f"Titles begin with {(known or [first.most_common(1)[0][0]])[0]}."
    if request.json_schema is not None:
        return json.dumps({"answer": 3})
    begin = re.findall(r"begin with (\S+)\.", said[0]) if said else [word for word, _ in first.most_common(1)]
    return f"{begin[0]} it" if begin else "It"


async def _no_embedder() -> EmbedderChoice:
    raise ConfigError("there is no embedder here")


@asynccontextmanager
async def workspace_at(path: Path, engine: ScriptedEngine) -> AsyncGenerator[Workspace, None]:
    settings = load_settings({"database": str(path), "engine": "scripted"})
    async with open_records(settings) as records:
        yield Workspace(records, engine, LateEmbedder(_no_embedder, notify=lambda text: None))
