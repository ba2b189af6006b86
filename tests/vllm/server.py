"""A real `vllm serve` on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODEL = "smollm2-135m"
WINDOW = 1024
_PATIENCE = 600.0


@dataclass(frozen=True)
class VllmServer:
    """A running server, its processes (in a group of their own) and where it logs to."""

    base_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it at once, with all its processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serve(weights: Path, log: Path, *, port: int = 0) -> Iterator[VllmServer]:
    """Serve until the context ends; the address answers when it begins."""
    port = port or _free_port()
    # What `vllm serve` runs; that command itself wants a package called vllm, which the build for processors is not.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(weights), "--port", str(port)]
    command += ["--host", "127.0.0.1", "--served-model-name", MODEL, "--max-model-len", str(WINDOW), "--enforce-eager"]
    command += ["--enable-prompt-tokens-details", "--scheduling-policy", "priority"]
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    server = VllmServer(f"http://127.0.0.1:{port}/v1", process, log)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(url: str, server: VllmServer) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"vLLM does not serve; it said: {server.log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
