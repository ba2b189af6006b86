"""Tests against real vLLM: `make test-vllm` makes their environment and runs them there.

In any other environment nothing of this folder is collected: these are no tests that were skipped, they belong to
another run.
"""

import importlib.util
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vllm.server import VllmServer, serve
from tests.vllm.weights import require_weights

_HAS_VLLM = importlib.util.find_spec("vllm") is not None
_NOT_OURS = (
    ("`torch.jit.script_method` is deprecated", DeprecationWarning),  # torch warns of itself, while it is imported
    ("Unclosed context <zmq.Context", ResourceWarning),  # vLLM leaves the contexts of its sockets to the collector
)
"""Warnings that others raise about themselves. All others are errors here too."""

collect_ignore_glob = [] if _HAS_VLLM else ["test_*.py"]

if _HAS_VLLM:  # else tests of other folders would be offline too
    os.environ.update(VLLM_CPU_KVCACHE_SPACE="2", HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", DO_NOT_TRACK="1")


def pytest_configure(config: pytest.Config) -> None:
    if _HAS_VLLM:
        for message, category in _NOT_OURS:
            config.addinivalue_line("filterwarnings", f"ignore:{message}:{category.__name__}")
            warnings.filterwarnings("ignore", message, category)  # and for what is collected after the last test


@pytest.fixture(scope="session")
def weights() -> Path:
    """A folder that vLLM can load."""
    return require_weights()


@pytest.fixture(scope="session")
def vllm_server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """A server for all tests that do not kill it."""
    with serve(weights, tmp_path_factory.mktemp("vllm") / "server.log") as server:
        yield server
