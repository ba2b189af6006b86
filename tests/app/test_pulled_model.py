"""Pulling a model as a command does it: in the background of a loop that may be stopped."""

import asyncio
import hashlib
import time
from pathlib import Path

import pytest

from longdoc.app.engine_choice import pulled_model
from longdoc.config import Settings
from longdoc.engines.catalogue import HubSource, ModelEntry, ModelFile
from longdoc.engines.pull import installed
from tests.servers.hub_server import model_hub

WEIGHTS = b"weights " * 4_000_000
ENTRY = ModelEntry(
    name="large",
    purpose="chat",
    description="",
    size=len(WEIGHTS),
    licence="Apache-2.0",
    context_window=8,
    files=(ModelFile("large.gguf", len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest()),),
    sources=(HubSource("maker/large"),),
)


def test_a_stopped_pull_ends_its_download_and_the_next_one_goes_on(tmp_path: Path) -> None:
    heard: list[int] = []

    def slow(name: str, done: int, total: int | None) -> None:
        heard.append(done)
        time.sleep(0.02)  # as a slow network: the whole would take a minute and more

    async def stop_once_it_comes(settings: Settings) -> float:
        pulling = asyncio.create_task(pulled_model(settings, ENTRY, notify=lambda _: None, progress=slow))
        while len(heard) < 3 and not pulling.done():
            await asyncio.sleep(0.01)
        pulling.cancel()
        stopped = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await pulling
        return stopped

    with model_hub() as hub:
        hub.files["/maker/large/resolve/main/large.gguf"] = WEIGHTS
        settings = Settings(models_dir=tmp_path, hub_url=hub.url)
        stopped = asyncio.run(stop_once_it_comes(settings))  # returns when its threads have ended
        assert time.monotonic() - stopped < 5
        stopped_at = heard[-1]
        assert installed(ENTRY, tmp_path) is None
        path = asyncio.run(pulled_model(settings, ENTRY, notify=lambda _: None, progress=lambda *_: None))
    assert path.read_bytes() == WEIGHTS
    assert 0 < stopped_at < len(WEIGHTS)
    assert hub.ranges[-1].startswith("bytes=")
