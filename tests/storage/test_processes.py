import asyncio
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

from sqlalchemy import select

from longdoc.storage.database import Database
from longdoc.storage.schema import calls

_RECORD_CALLS = Path(__file__).parent / "record_calls.py"


async def _recorded(location: str) -> list[str]:
    async with aclosing(await Database.open(location)) as database:
        return await database.read(lambda connection: list(connection.execute(select(calls.c.key)).scalars()))


def test_acknowledged_calls_survive_a_kill_at_any_moment(database: str) -> None:
    acknowledged: set[str] = set()
    for name in ("a", "b"):
        with subprocess.Popen(
            [sys.executable, _RECORD_CALLS, database, name, "100000"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            acknowledged |= {process.stdout.readline().strip() for _ in range(150)}
            os.kill(process.pid, signal.SIGKILL)
            acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    assert len(acknowledged) >= 300
    assert acknowledged <= set(asyncio.run(_recorded(database)))


def test_two_processes_that_record_at_the_same_time_lose_nothing(database: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, _RECORD_CALLS, database, name, "300"], stdout=subprocess.DEVNULL)
        for name in ("a", "b")
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert sorted(asyncio.run(_recorded(database))) == sorted(f"{name}{i}" for name in ("a", "b") for i in range(300))
