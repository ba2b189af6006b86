import sqlite3
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event, text

from longdoc.errors import StorageError
from longdoc.storage.writer import GroupWriter


def test_when_nobody_may_write_every_write_fails_and_later_ones_succeed(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", connect_args={"timeout": 0, "isolation_level": None})

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    writer = GroupWriter(engine, "x.db")

    def submit() -> list[Future[object]]:
        return [writer.submit(lambda connection: connection.execute(text("SELECT 1")).scalar()) for _ in range(20)]

    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for write in submit():
        with pytest.raises(StorageError, match=r"x\.db is locked by another program"):
            write.result(10)
    other.execute("ROLLBACK")
    other.close()
    assert [write.result(10) for write in submit()] == [1] * 20
    writer.close()
    engine.dispose()
