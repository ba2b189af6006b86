"""A terminal that tests type into and look at."""

import re
import shlex
import subprocess
import sys
import time

from tests.e2e.command import Lda


class Terminal:
    """A command of `lda` in tmux."""

    def __init__(self, lda: Lda, command: list[str], environment: dict[str, str]) -> None:
        self.socket = str(lda.home / "tmux")
        variables = [f"{name}={value}" for name, value in environment.items()]
        line = shlex.join(["env", *variables, sys.executable, "-m", "longdoc", *command])
        self._status = lda.home / "status"
        self._tmux("new-session", "-d", "-x", "100", "-y", "40", f"{line}; echo $? > {self._status}; sleep 600")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", self.socket, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-J", "-S", "-200")

    def type(self, text: str, key: str = "Enter") -> None:
        self._tmux("send-keys", "-l", text)
        self._tmux("send-keys", key)

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def wait(self, pattern: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.screen(), re.DOTALL):
            assert time.monotonic() < deadline, self.screen()
            time.sleep(0.05)
        return self.screen()

    def ended(self, seconds: float = 60) -> int:
        """The exit status of the command, once it has ended."""
        deadline = time.monotonic() + seconds
        while not (self._status.exists() and self._status.read_text().strip()):
            assert time.monotonic() < deadline, self.screen()
            time.sleep(0.05)
        return int(self._status.read_text())

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)
