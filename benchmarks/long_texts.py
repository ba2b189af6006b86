"""Loading and segmenting from one to twenty million tokens, in a process of its own for each size."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.table import BenchmarkTable

_BIBLE = Path("../shared/data/books/text/bible-kjv.txt")
_BYTES_PER_TOKEN = 4.0
_SIZES = (1_000_000, 5_000_000, 10_000_000, 20_000_000)
_MOST_SECONDS, _MOST_BYTES, _MOST_GROWTH = 60.0, 1_000_000_000, 1.2

_JOB = """
import asyncio, json, resource, sys, time
from pathlib import Path
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_document
from longdoc.documents.segments import segment_document
from longdoc.documents.tokens import EstimatedTokens
started = time.process_time()
document = read_document(Path(sys.argv[1]))
read = time.process_time()
segments = asyncio.run(segment_document(document, EstimatedTokens(), limit=2048))
done = time.process_time()
at = 0
for segment in segments:
    assert segment.start == at
    at = segment.end
assert at == len(document.text)
print(json.dumps({"read": read - started, "segment": done - read, "segments": len(segments),
    "tokens": sum(s.tokens for s in segments), "largest": max(s.tokens for s in segments),
    "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def run() -> BenchmarkTable:
    """Measure each size and compare the growth of time with the growth of the text."""
    source = _source_text()
    rows: list[list[str]] = []
    figures: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for tokens in _SIZES:
            path = Path(folder) / "text.txt"
            wanted = int(tokens * _BYTES_PER_TOKEN)
            path.write_bytes((source * (wanted // len(source) + 1))[:wanted])
            output = subprocess.run(
                [sys.executable, "-c", _JOB, str(path)], check=True, capture_output=True, text=True
            ).stdout
            figure = json.loads(output)
            figures.append(figure)
            rows.append(_row(wanted, figure))
    first, last = figures[0], figures[-1]
    growth = _seconds(last) / _seconds(first) / (_SIZES[-1] / _SIZES[0])
    rows.append(["growth of time over growth of text", "", "", "", f"{growth:.2f}", ""])
    passed = _seconds(last) < _MOST_SECONDS and last["bytes"] < _MOST_BYTES and growth <= _MOST_GROWTH
    how = (
        "A text file repeated to the size is read and cut into segments of 2,048 estimated tokens; seconds are of "
        "processor time. Targets: "
        f"the largest in under {_MOST_SECONDS:.0f} s and 1 GB, "
        f"time growing at most {_MOST_GROWTH} times faster than the text."
    )
    columns = ("megabytes", "million tokens", "segments", "read, s", "segment, s", "peak MB")
    return BenchmarkTable("Long texts", how, columns, rows, passed)


def _row(size: int, figure: dict[str, float]) -> list[str]:
    return [
        f"{size / 1e6:.1f}",
        f"{figure['tokens'] / 1e6:.1f}",
        f"{figure['segments']:,.0f}",
        f"{figure['read']:.2f}",
        f"{figure['segment']:.2f}",
        f"{figure['bytes'] / 1e6:.0f}",
    ]


def _seconds(figure: dict[str, float]) -> float:
    return figure["read"] + figure["segment"]


def _source_text() -> bytes:
    """The bible text where the data folder is there, else verses made of common words."""
    if _BIBLE.exists():
        return _BIBLE.read_bytes()
    choose = random.Random(3)
    words = [
        "and",
        "the",
        "of",
        "that",
        "he",
        "in",
        "shall",
        "unto",
        "for",
        "his",
        "a",
        "lord",
        "they",
        "be",
        "is",
        "him",
        "not",
        "them",
        "it",
        "with",
        "all",
        "thou",
    ]
    verses = [f"Book {i // 900 + 1} {i}: " + " ".join(choose.choices(words, k=25)) + "." for i in range(30_000)]
    return "\n".join(verses).encode()
