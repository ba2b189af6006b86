"""The server in a process of its own, for as long as a block lasts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@contextmanager
def server_process(*options: str) -> Generator[str, None, None]:
    """Start `python -m benchmarks.simulated_gpu` with these options on a free port; gives its base URL."""
    command = [sys.executable, "-m", "benchmarks.simulated_gpu", "--port", "0", *options]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            base_url = process.stdout.readline().strip()
            if not base_url:
                raise RuntimeError(f"the simulated GPU did not start: {' '.join(command)}")
            yield base_url
        finally:
            process.terminate()
