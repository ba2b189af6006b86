"""Running `lda` as a process, away from the user's own settings."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Lda:
    """`lda` with a database and settings of its own; `patience` is how many seconds a command may take."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 120

    @property
    def database(self) -> Path:
        return self.home / "record.db"

    def start(self, *arguments: str | Path, **options: str) -> subprocess.Popen[str]:
        """Start the command and return at once."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LDA_", "OPENAI_")) or k == "LDA_MODELS_DIR"}
        environment = clean | {"LDA_DATABASE": str(self.database), "HOME": str(self.home), "COLUMNS": "120"}
        return subprocess.Popen(
            [sys.executable, "-m", "longdoc", *map(str, arguments)],
            env=environment | self.environment | options,
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str | Path, stdin: str = "", timeout: float | None = None, **options: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(stdin, timeout=timeout or self.patience)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def json(self, *arguments: str | Path, code: int = 0, **options: str) -> Any:
        """Run with --json and return the envelope."""
        done = self.run(*arguments, "--json", **options)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def summarize(self, path: str | Path, *arguments: str, code: int = 0, **options: str) -> Any:
        """Summarize one file and return its result."""
        return self.json("summarize", path, *arguments, code=code, **options)["results"][0]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        with sqlite3.connect(self.database) as connection:
            return connection.execute(sql).fetchall()

    def recorded_calls(self) -> int:
        """How many calls there are; none before the tables are made."""
        if not self.database.exists() or not self.query("select 1 from sqlite_master where name = 'calls'"):
            return 0
        return self.query("select count(*) from calls")[0][0]

    def wait_for_calls(self, count: int, process: subprocess.Popen[str]) -> None:
        """Return when `process` has brought the record to `count` calls, or has ended.

        Raises:
            AssertionError: it took longer than `patience`.
        """
        deadline = time.monotonic() + self.patience
        while self.recorded_calls() < count and process.poll() is None:
            assert time.monotonic() < deadline, f"{self.recorded_calls()} of {count} calls"
            time.sleep(0.05)

    def repeated_calls(self) -> list[tuple[Any, ...]]:
        """Keys of calls that were recorded more than once."""
        return self.query("select key, count(*) from calls group by key having count(*) > 1")
