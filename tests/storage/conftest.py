"""Databases for tests: a new SQLite file or a new PostgreSQL database each."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.storage.postgres_server import PostgresServer, find_binaries, running_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("there is no PostgreSQL server here (initdb); on Debian: apt install postgresql")
    with running_server(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a new, empty database is: what is given to `Database.open`."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield str(tmp_path / "longdoc.db")
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            yield stack.enter_context(server.new_database())
