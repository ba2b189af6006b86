"""How fast items of many users are taken in from a file, and whether memory grows with the file."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from random import Random

from benchmarks.table import BenchmarkTable
from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app.bootstrap import open_records
from longdoc.app.profile_import import ImportReport, import_items
from longdoc.app.profile_import_entries import Owner
from longdoc.app.profile_import_sources import ImportFormat, open_file
from longdoc.config import load_settings
from longdoc.storage.database import Database

_ITEMS = int(os.environ.get("LDA_BENCH_PROFILE_ITEMS", "200000"))
_EACH = 100
"""Items of a user."""
_WORDS_EACH = 40
_VOCABULARY = 20_000
_SEED = 7
_PER_SECOND = 5_000
_GROWTH_MB = 150
_EARLY = 10_000
"""Items after which the process has all that it needs: what it takes from there on is growth."""


def run() -> BenchmarkTable:
    """Import a file whose users follow one another, one in which they are mixed, and that one again."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> BenchmarkTable:
    rows: list[list[str]] = []
    passed = True
    for name, mixed, times in (("users one after the other", False, 1), ("users mixed", True, 2)):
        file = folder / f"{mixed}.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(_lines(mixed=mixed))
        database = folder / f"{mixed}.db"
        async with aclosing(await Database.open(database)):
            pass  # made before anything is measured
        for again in range(times):
            busy = time.process_time()
            report, seconds, growth = await _imported(file, database)
            busy = time.process_time() - busy
            speed, grown = report.items / seconds, growth / 1e6
            expected = report.same if again else report.added
            passed = passed and speed >= _PER_SECOND and grown <= _GROWTH_MB and expected == _ITEMS
            what = f"{name}{', again' if again else ''}"
            rows += [
                [f"{what}: items a second", f"{speed:,.0f}", f"{_PER_SECOND:,}"],
                [f"{what}: items a second of the processor's time", f"{report.items / busy:,.0f}", ""],
                [f"{what}: growth of the process", f"{grown:.0f} MB", f"{_GROWTH_MB} MB"],
            ]
    how = (
        f"{_ITEMS:,} items of {_WORDS_EACH} words, {_EACH} of each user, as JSON lines into a new SQLite file; nothing "
        f"is embedded. Growth is from the first {_EARLY:,} items to the most there was."
    )
    return BenchmarkTable("Items of users imported", how, ["what", "measured", "target"], rows, passed)


async def _imported(file: Path, database: Path) -> tuple[ImportReport, float, float]:
    """What an import did, its seconds, and by how many bytes the process grew."""
    early = most = 0.0

    def progress(report: ImportReport) -> None:
        nonlocal early, most
        most = max(most, _resident())
        if not early and report.items >= min(_EARLY, _ITEMS // 2):
            early = most

    async with open_records(load_settings({"database": str(database)})) as records:
        tenant = await records.profiles.tenant("local")
        started = time.perf_counter()
        with open_file(str(file), ImportFormat.AUTO, Owner()) as source:
            report = await import_items(records, tenant, source, BUILT_IN, progress=progress)
        return report, time.perf_counter() - started, most - early


def _lines(*, mixed: bool) -> Iterator[str]:
    random = Random(_SEED)
    words = [f"w{number:x}" for number in range(_VOCABULARY)]
    users = max(1, _ITEMS // _EACH)
    for number in range(_ITEMS):
        user = number % users if mixed else number // _EACH
        text = " ".join(random.choices(words, k=_WORDS_EACH))
        at = f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:00:00Z"
        item = {"user": f"user {user}", "task": "title", "text": text, "output": f"Title {number}", "at": at}
        yield json.dumps(item) + "\n"


def _resident() -> float:
    """Bytes of the process in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
