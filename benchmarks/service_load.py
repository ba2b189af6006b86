"""What of a user stands before a request, over HTTP: how many a second, how late the latest, with many users."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.table import BenchmarkTable
from longdoc.storage.api_keys import ApiKeys, NewKey, Scope
from longdoc.storage.database import Database
from longdoc.storage.profile_types import NewItem, Profile, ProfileSummary, Tenant
from longdoc.storage.profiles import Profiles

_USERS = int(os.environ.get("LDA_BENCH_USERS", "100000"))
_SECONDS = float(os.environ.get("LDA_BENCH_SECONDS", "30"))
_ITEMS = 50
_USERS_AT_ONCE = 100
_WORDS_EACH = 30
_WORDS_OF_SUMMARY = 100
_VOCABULARY = 20_000
_RATE = 200
_CONNECTIONS = 16
_WARM_SECONDS = 3.0
_LATE_MS = 100.0
_TENANT = "bench"
_TASK = "title"
_SEED = 7
_FOLDER = Path(__file__).parent.parent / ".cache" / "benchmarks"
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Driven:
    """What a drive found: requests answered, seconds it took, how many failed, and times in milliseconds."""

    requests: int
    seconds: float
    failed: int
    median: float
    late: float
    latest: float


def run() -> BenchmarkTable:
    """Fill a record where there is none yet, serve it, and ask."""
    path = asyncio.run(_filled())
    key = asyncio.run(_key(path))
    server, address = _served(path)
    try:
        _driven(address, key, seconds=_WARM_SECONDS, rate=_RATE // 4)
        started = _resident(server.pid)
        paced = _driven(address, key, seconds=_SECONDS, rate=_RATE)
        fastest = _driven(address, key, seconds=_SECONDS, rate=0)
        held = _resident(server.pid)
    finally:
        server.terminate()
        server.wait(30)
    rows = [
        [f"answered at {_RATE} requests/s", f"{paced.requests / paced.seconds:.0f}/s", f"{_RATE}/s"],
        ["median", f"{paced.median:.1f} ms", ""],
        ["99th percentile", f"{paced.late:.1f} ms", f"{_LATE_MS:.0f} ms"],
        ["the latest", f"{paced.latest:.1f} ms", ""],
        ["failed", f"{paced.failed + fastest.failed}", "0"],
        [f"as fast as it can, {_CONNECTIONS} connections", f"{fastest.requests / fastest.seconds:.0f}/s", f"{_RATE}/s"],
        ["99th percentile of these", f"{fastest.late:.1f} ms", ""],
        ["memory of the service, warm and at the end", f"{started / 1e6:.0f} MB, {held / 1e6:.0f} MB", ""],
        ["record", f"{path.stat().st_size / 1e9:.2f} GB", ""],
    ]
    passed = (
        paced.requests / paced.seconds >= 0.99 * _RATE
        and paced.late < _LATE_MS
        and fastest.requests / fastest.seconds >= _RATE
        and paced.failed + fastest.failed == 0
    )
    return BenchmarkTable("The service under load", _how(), ["what", "measured", "target"], rows, passed)


def _how() -> str:
    return (
        f"`POST /v1/context` of `lda serve` in a process of its own, for {_USERS:,} users of {_ITEMS} items "
        f"({_WORDS_EACH} words each) with a summary, in SQLite, with a key, for {_SECONDS:.0f} seconds; users at "
        "random. The requests come from another process on this computer. At the given rate a request's time counts "
        "from when it was due, whether or not one before it was late."
    )


async def _filled() -> Path:
    """A record with all users, made once: a file that is not whole has another name."""
    path = _FOLDER / f"service-{_USERS}x{_ITEMS}.db"
    if await asyncio.to_thread(path.exists):
        return path
    _FOLDER.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    for one in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
        one.unlink(missing_ok=True)
    choose = random.Random(_SEED)
    async with aclosing(await Database.open(part)) as database:
        profiles = Profiles(database)
        tenant = await profiles.tenant(_TENANT)
        for first in range(0, _USERS, _USERS_AT_ONCE):
            await _fill(profiles, tenant, range(first, min(first + _USERS_AT_ONCE, _USERS)), choose)
            if first % (20 * _USERS_AT_ONCE) == 0:
                print(f"{first:,} of {_USERS:,} users", flush=True)
        await database.checkpoint()
    part.rename(path)
    return path


async def _fill(profiles: Profiles, tenant: Tenant, users: range, choose: random.Random) -> None:
    await profiles.put(tenant.id, [(_user(user), _item(choose, number)) for user in users for number in range(_ITEMS)])
    opened = await asyncio.gather(*(profiles.get(tenant.id, _user(user)) for user in users))
    await asyncio.gather(*(profiles.summarize(one, _summary(choose, one)) for one in opened))


def _summary(choose: random.Random, profile: Profile) -> ProfileSummary:
    text = _text(choose, _WORDS_OF_SUMMARY)
    return ProfileSummary(_TASK, text, (1, 2, 3), _ITEMS, profile.changes, "made", "made", _FIRST_DAY)


def _item(choose: random.Random, number: int) -> NewItem:
    at = _FIRST_DAY + timedelta(days=number)
    return NewItem(_TASK, f"item {number}", _text(choose, _WORDS_EACH), _text(choose, 5), at)


def _text(choose: random.Random, words: int) -> str:
    """Words that are as common as those of a language."""
    return " ".join(f"w{int(_VOCABULARY ** choose.random()):x}" for _ in range(words))


def _user(number: int) -> str:
    return f"user {number:06}"


async def _key(path: Path) -> str:
    async with aclosing(await Database.open(path)) as database:
        scopes = frozenset({Scope.PERSONALIZE})
        return (await ApiKeys(database).create(NewKey("bench", _TENANT, scopes, lasts=timedelta(hours=1))))[1]


def _served(path: Path) -> tuple[subprocess.Popen[str], str]:
    """The service as a process, and its address."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LDA_", "OPENAI_"))}
    command = [sys.executable, "-m", "longdoc", "serve", "--port", "0", "--database", str(path)]
    log = path.with_suffix(".log").open("w", encoding="utf-8")
    with log:
        server = subprocess.Popen(command, env=clean, cwd=_FOLDER, stdout=log, stderr=log, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        for line in path.with_suffix(".log").read_text(encoding="utf-8").splitlines():
            if line.startswith("serving at "):
                return server, line.split()[2]
        time.sleep(0.1)
    server.kill()
    raise SystemExit(f"the service did not start; see {path.with_suffix('.log')}")


def _resident(process: int) -> float:
    """Bytes of a process in memory now."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _driven(address: str, key: str, *, seconds: float, rate: int) -> Driven:
    """Ask from a process of its own, so that who asks does not wait for itself."""
    command = [sys.executable, "-m", "benchmarks.service_load", address, key, str(seconds), str(rate)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Driven(**json.loads(done.stdout))


async def _drive(address: str, key: str, seconds: float, rate: int) -> Driven:
    """Ask at a rate, or (0) whenever an answer came, on some connections."""
    place = urlsplit(address)
    choose = random.Random(time.time_ns())
    times: list[float] = []
    failed = 0
    started = time.perf_counter()
    due = iter(range(int(seconds * rate))) if rate else None

    async def ask_on() -> None:
        nonlocal failed
        async with _connected(place.hostname or "", place.port or 80) as (reader, writer):
            while True:
                begin = time.perf_counter()
                if due is not None:
                    number = next(due, None)
                    if number is None:
                        return
                    begin = started + number / rate
                    await asyncio.sleep(max(0.0, begin - time.perf_counter()))
                elif begin - started > seconds:
                    return
                writer.write(_request(choose, key))
                failed += await _status(reader) != 200
                times.append((time.perf_counter() - begin) * 1000)

    await asyncio.gather(*(ask_on() for _ in range(_CONNECTIONS)))
    times.sort()
    took = time.perf_counter() - started
    return Driven(len(times), took, failed, times[len(times) // 2], times[int(len(times) * 0.99)], times[-1])


@asynccontextmanager
async def _connected(host: str, port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _request(choose: random.Random, key: str) -> bytes:
    asked = {"user": _user(choose.randrange(_USERS)), "query": _text(choose, _WORDS_EACH), "task": _TASK}
    body = json.dumps(asked).encode("ascii")
    head = (
        f"POST /v1/context HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


async def _status(reader: asyncio.StreamReader) -> int:
    """Read a reply; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split()[1])


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(asdict(asyncio.run(_drive(given[0], given[1], float(given[2]), int(given[3]))))))
