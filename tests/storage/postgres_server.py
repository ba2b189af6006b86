"""A PostgreSQL server of our own, for as long as the tests run."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy import URL

_DEBIAN = Path("/usr/lib/postgresql")
_PATIENCE_SECONDS = 30


def find_binaries() -> Path | None:
    """The folder of the newest server programs there are."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    folders = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


def server_user() -> str | None:
    """Who runs the server: whoever runs the tests, except root, which the server refuses."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class PostgresServer:
    """A running server that is reached through a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, database: str) -> str:
        """The address of one of its databases, as a user would give it."""
        url = URL.create("postgresql", username="tester", database=database, query={"host": str(self._folder)})
        return url.render_as_string(hide_password=False)

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """The address of an empty database that is dropped afterwards."""
        name = f"t{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._execute("SELECT 1")
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_server(binaries: Path) -> Iterator[PostgresServer]:
    """Make a cluster in a temporary folder and run it."""
    user = server_user()
    # Paths of sockets are limited to about 100 characters, which the folders of pytest may pass.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    options = {"user": user, "cwd": folder} if user is not None else {"cwd": folder}
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            **options,
        )
        command = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, **options) as process:
            try:
                server = PostgresServer(folder)
                server.wait(process)
                yield server
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
