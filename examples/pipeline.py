"""A pipeline over a folder: a summary of each book in it, as a row of a table.

    python examples/pipeline.py shelf/ --words 200 --out summaries.csv

A few books are in memory at a time, however many there are; a book that fails is a row with its error. Stopped or
killed, the same command again asks nothing twice. The engine is chosen as for `lda` (LDA_ENGINE, lda.toml, …).
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from longdoc import AsyncLongDoc

SUFFIXES = {".epub", ".pdf", ".docx", ".odt", ".html", ".md", ".txt"}
COLUMNS = ["source", "error", "run_id", "text", "sources", "calls", "recorded_calls", "prompt_tokens"]


def books_in(folder: Path) -> Iterator[Path]:
    """The documents in a folder and below it, in the order of their names."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)


async def summarize_all(folder: Path, *, words: int, out: Path, at_once: int) -> int:
    """Write a row for each book as soon as it is done; how many failed."""
    failed = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        async with AsyncLongDoc() as lda:
            async for one in lda.map_summaries(books_in(folder), words=words, at_once=at_once):
                table.writerow(one.row())
                file.flush()
                failed += not one.ok
                print(one.error or f"{one.source}: done, {one.usage.calls} calls", file=sys.stderr)
    return failed


def main() -> int:
    """Parse the command line; 3 where books failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("summaries.csv"))
    parser.add_argument("--at-once", type=int, default=4)
    asked = parser.parse_args()
    work = summarize_all(asked.folder, words=asked.words, out=asked.out, at_once=asked.at_once)
    return 3 if asyncio.run(work) else 0


if __name__ == "__main__":
    sys.exit(main())
