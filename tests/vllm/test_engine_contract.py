"""The contract of every engine, kept by real vLLM: served, and in this process."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from longdoc.config import VllmSettings
from longdoc.engines.openai import OpenAIEngine
from longdoc.engines.vllm import VllmEngine
from tests.contract.test_engine import *  # noqa: F403 - the same tests, over the subjects below
from tests.contract.test_engine import WINDOW, Subject
from tests.vllm.server import VllmServer


@pytest.fixture(scope="module")
def in_process(weights: Path) -> Iterator[Subject]:
    """vLLM in this process, loaded once; one loop for all its tests."""
    with asyncio.Runner() as runner:
        settings = VllmSettings(enforce_eager=True)
        engine = runner.run(VllmEngine.open(str(weights), settings=settings, context_window=WINDOW))
        yield Subject(lambda test: runner.run(test(engine)))
        runner.run(engine.aclose())


@pytest.fixture(scope="module")
def served_by_vllm(vllm_server: VllmServer) -> Iterator[Subject]:
    """A real server of vLLM's, of a window as large as that of the others."""
    with asyncio.Runner() as runner:
        engine = runner.run(OpenAIEngine.connect(vllm_server.base_url))
        yield Subject(lambda test: runner.run(test(engine)))
        runner.run(engine.aclose())


@pytest.fixture(params=["in_process", "served_by_vllm"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return request.getfixturevalue(request.param)
