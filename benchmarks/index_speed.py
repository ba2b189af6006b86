"""Indexes to search: how long a million tokens take, how fast and how right a search is, what twenty million need.

Embeds a million tokens on the CPU, which takes long, so it runs by name only.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import BenchmarkTable
from longdoc.agents.events import Event
from longdoc.app.ask import ask
from longdoc.app.bootstrap import Records, Workspace, open_library, open_records, wrap_engine
from longdoc.app.embedder_choice import DEFAULT_EMBEDDING_MODEL, EmbedderChoice, choose_embedder
from longdoc.app.finding import AskOptions
from longdoc.app.indexing import add_documents, open_index
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.shelf import shelf_of_collection
from longdoc.app.strategies import Strategy
from longdoc.config import Settings, load_settings
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes
from longdoc.engines.budget import Budget
from longdoc.engines.embedder import Embedder, EmbedderInfo
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.scripted import ScriptedEngine
from longdoc.evaluation.verses import Verse, VerseText, read_verses
from longdoc.retrieval.collection_index import DENSE, CollectionIndex

_BIBLE = Path("../shared/data/books/text/bible-kjv.txt")
_TOKENS = 1_000_000
_MANY_TOKENS = 20_000_000
_CHARACTERS_PER_TOKEN = 4
_ASKED = 300
_SEED = 7
_FEWEST_WORDS = 10
_QUOTED = 6
_COLLECTION = "benchmark"
_MANY_DIMENSIONS = 384
_EMBEDDED_CHARACTERS = 80
_QUESTIONS = (
    "Who was king over Israel after the death of his father?",
    "Why were the disciples afraid on the sea?",
    "What did the woman at the well say to him?",
    "How many years did they wander in the wilderness?",
    "Which of the brothers was sold into Egypt, and for what price?",
    "What is said about wine and strong drink?",
    "Who built the wall of the city and hung its gates?",
    "What does Jeremiah 31:3 say?",
    "Where is wisdom found?",
    "and the waters prevailed upon the earth an hundred days",
)
_MOST_MILLISECONDS = 100.0
_LEAST_RIGHT = 0.95
_MOST_PEAK_BYTES = 2e9
_BOOKS = (
    "Ge Genesis, Exo Exodus, Lev Leviticus, Num Numbers, Deu Deuteronomy, Josh Joshua, Jdgs Judges, Ruth Ruth, "
    "1Sm 1 Samuel, 2Sm 2 Samuel, 1Ki 1 Kings, 2Ki 2 Kings, 1Chr 1 Chronicles, 2Chr 2 Chronicles, Ezra Ezra, "
    "Neh Nehemiah, Est Esther, Job Job, Psa Psalm, Prv Proverbs, Eccl Ecclesiastes, SSol Song of Solomon, Isa Isaiah, "
    "Jer Jeremiah, Lam Lamentations, Eze Ezekiel, Dan Daniel, Hos Hosea, Joel Joel, Amos Amos, Obad Obadiah, "
    "Jonah Jonah, Mic Micah, Nahum Nahum, Hab Habakkuk, Zep Zephaniah, Hag Haggai, Zec Zechariah, Mal Malachi, "
    "Mat Matthew, Mark Mark, Luke Luke, John John, Acts Acts, Rom Romans, 1Cor 1 Corinthians, 2Cor 2 Corinthians, "
    "Gal Galatians, Eph Ephesians, Phi Philippians, Col Colossians, 1Th 1 Thessalonians, 2Th 2 Thessalonians, "
    "1Tim 1 Timothy, 2Tim 2 Timothy, Titus Titus, Phmn Philemon, Heb Hebrews, Jas James, 1Pet 1 Peter, 2Pet 2 Peter, "
    "1Jn 1 John, 2Jn 2 John, 3Jn 3 John, Jude Jude, Rev Revelation"
)
_NAMES = {short: name for short, _, name in (book.partition(" ") for book in _BOOKS.split(", "))}
"""What the books of the file are called, by the letters that it gives them."""

_Asking: TypeAlias = Callable[[Verse, random.Random], str]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Searched:
    """A text indexed with a model: seconds, and by the kind of look-up milliseconds and the share that was right."""

    windows: int
    seconds: float
    again: float
    milliseconds: dict[str, list[float]]
    right: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class LongText:
    """A long text in an index: seconds, milliseconds of a search, bytes in memory at most and on disk, and how many
    tokens of it a question was answered from."""

    seconds: float
    milliseconds: float
    peak: int
    disk: int
    read: int


def run(*, tokens: int = _TOKENS, many: int = _MANY_TOKENS) -> BenchmarkTable:
    """Measure each part in a process of its own."""
    if not _BIBLE.exists():
        skipped = [["skipped: the folder of shared data is absent", "", ""]]
        return BenchmarkTable("Indexes to search", "", ("what", "figure", "target"), skipped, passed=True)
    with tempfile.TemporaryDirectory() as folder:
        searched = _alone(_search_verses, Path(folder), tokens)
        _alone(_store, Path(folder), many)
        built = _alone(_open_many, Path(folder), many)
        opened = _alone(_open_many, Path(folder), many)
    rows = [*_speed_rows(searched, tokens), *_right_rows(searched), *_many_rows(built, opened, many)]
    fused = [shares["search"] for shares in searched.right.values()]
    passed = (
        _median(searched) < _MOST_MILLISECONDS
        and min(fused) >= _LEAST_RIGHT
        and max(built.peak, opened.peak) < _MOST_PEAK_BYTES
    )
    how = (
        f"The beginning of a bible (one verse a line, {tokens:,} tokens by estimate), embedded with MiniLM-L6 on the "
        f"CPU. {_ASKED} look-ups of each kind: by the full name of the book, while the file has an abbreviation; by "
        f"the file's own reference; by a verse of {_FEWEST_WORDS} words or more with each word left out with a chance "
        f"of a third; by {_QUOTED} words of a verse in quotation marks that stand nowhere else. Right: all of the "
        "verse is in the window at rank 1. The long text is the same one repeated, a collection, its embeddings "
        f"({_MANY_DIMENSIONS} dimensions) are hashed words. Memory is the peak of a process that holds what a question "
        "takes: MiniLM-L6, which embeds one, the index, and the whole text, from which an answer is read by retrieve; "
        "of the engine that answers nothing."
    )
    return BenchmarkTable("Indexes to search", how, ("what", "figure", "target"), rows, passed)


def _alone(work: Callable[[Path, int], _T], folder: Path, tokens: int) -> _T:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, folder, tokens).result()


def _speed_rows(searched: _Searched, tokens: int) -> list[list[str]]:
    times = sorted(time for of_kind in searched.milliseconds.values() for time in of_kind)
    return [
        ["windows", f"{searched.windows:,}", ""],
        ["build, s", f"{searched.seconds:,.0f}", ""],
        ["build, tokens a second", f"{tokens / searched.seconds:,.0f}", ""],
        ["open again, s", f"{searched.again:.2f}", ""],
        ["search with the question embedded, median ms", f"{_median(searched):.1f}", f"< {_MOST_MILLISECONDS:g}"],
        ["search, 99th percentile, ms", f"{statistics.quantiles(times, n=100)[-1]:.1f}", ""],
    ]


def _median(searched: _Searched) -> float:
    return statistics.median(time for of_kind in searched.milliseconds.values() for time in of_kind)


def _right_rows(searched: _Searched) -> list[list[str]]:
    return [
        [
            f"verse {kind}, right at rank 1 ({name})",
            f"{share:.3f}",
            f">= {_LEAST_RIGHT}" if name == "search" else "",
        ]
        for kind, shares in searched.right.items()
        for name, share in shares.items()
    ]


def _many_rows(built: LongText, opened: LongText, tokens: int) -> list[list[str]]:
    memory = f"< {_MOST_PEAK_BYTES / 1e6:,.0f}"
    return [
        [f"{tokens:,} tokens: build, s", f"{built.seconds:,.0f}", ""],
        [f"{tokens:,} tokens: build, peak MB", f"{built.peak / 1e6:,.0f}", memory],
        [f"{tokens:,} tokens: files, MB", f"{built.disk / 1e6:,.0f}", ""],
        [f"{tokens:,} tokens: open, s", f"{opened.seconds:.1f}", ""],
        [f"{tokens:,} tokens: search, median ms", f"{opened.milliseconds:.1f}", ""],
        [f"{tokens:,} tokens: open, search and ask, peak MB", f"{opened.peak / 1e6:,.0f}", memory],
        [f"{tokens:,} tokens: read for an answer, tokens", f"{opened.read:,}", ""],
    ]


def _search_verses(folder: Path, tokens: int) -> _Searched:
    return asyncio.run(_searched_verses(folder, read_verses(_BIBLE, length=tokens)))


async def _searched_verses(folder: Path, text: VerseText) -> _Searched:
    settings = load_settings({"database": str(folder / "verses.db")})
    async with open_library(settings, notify=print, progress=lambda name, done, total: None) as library:
        opening = partial(open_index, library, [text.document], collection=None, emit=_silent)
        index, seconds = await _timed(opening)
        index.close()
        index, again = await _timed(opening)
        if DENSE not in index.rankings:
            raise SystemExit("this benchmark needs a model for embeddings; fetch it with: lda models pull minilm-l6")
        milliseconds: dict[str, list[float]] = {}
        right: dict[str, dict[str, float]] = {}
        for kind, ask in _asking(text).items():
            milliseconds[kind], right[kind] = await _look_up(index, text, ask)
        windows = len(await index.windows())
        index.close()
    return _Searched(windows, seconds, again, milliseconds, right)


async def _look_up(index: CollectionIndex, text: VerseText, ask: _Asking) -> tuple[list[float], dict[str, float]]:
    """How long searches take, and by the way of searching how many are right."""
    chance = random.Random(_SEED)
    long = [verse for verse in text.verses if len(verse.text.split()) >= _FEWEST_WORDS]
    verses = chance.sample(long, min(_ASKED, len(long)))
    ways = {"search": index.search, "lexical": index.lexical, "dense": index.dense}
    found = dict.fromkeys(ways, 0)
    milliseconds: list[float] = []
    for verse in verses:
        question = ask(verse, chance)
        for name, way in ways.items():
            hits, seconds = await _timed(partial(way, question, k=1))
            found[name] += bool(hits) and hits[0].segment.start <= verse.start and verse.end <= hits[0].segment.end
            if name == "search":
                milliseconds.append(seconds * 1000)
    return milliseconds, {name: count / len(verses) for name, count in found.items()}


def _asking(text: VerseText) -> dict[str, _Asking]:
    def by_name(verse: Verse, chance: random.Random) -> str:
        del chance
        return f"What does {_full_name(verse.reference)} say?"

    def by_reference(verse: Verse, chance: random.Random) -> str:
        del chance
        return f"What does {verse.reference} say?"

    def by_words(verse: Verse, chance: random.Random) -> str:
        return " ".join(word for word in verse.text.split() if chance.random() >= 1 / 3) or verse.text

    def by_quote(verse: Verse, chance: random.Random) -> str:
        words = verse.text.split()
        starts = chance.sample(range(len(words) - _QUOTED + 1), len(words) - _QUOTED + 1)
        runs = [" ".join(words[start : start + _QUOTED]).strip(" .,;:!?()") for start in starts]
        return f"Which verse says “{next((run for run in runs if text.document.text.count(run) == 1), verse.text)}”?"

    return {
        "by full name": by_name,
        "by reference": by_reference,
        "by two thirds of its words": by_words,
        "by a quote": by_quote,
    }


def _full_name(reference: str) -> str:
    match = re.fullmatch(r"(\d?[A-Za-z]+)(\d+:\d+)", reference)
    assert match is not None
    return f"{_NAMES[match.group(1)]} {match.group(2)}"


class _FreeEmbedder:
    """Embeddings that cost next to nothing, in the size of a model's."""

    def __init__(self) -> None:
        self._inner = HashedEmbedder(dimensions=_MANY_DIMENSIONS)

    @property
    def info(self) -> EmbedderInfo:
        """It stands for a model."""
        return EmbedderInfo("benchmark", "free", "free", _MANY_DIMENSIONS)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The first words of each text hashed."""
        return await self._inner.embed([text[:_EMBEDDED_CHARACTERS] for text in texts])

    async def aclose(self) -> None:
        """Nothing is to be freed."""


def _store(folder: Path, tokens: int) -> None:
    verses = _BIBLE.read_bytes()
    wanted = tokens * _CHARACTERS_PER_TOKEN
    document = read_bytes((verses * (wanted // len(verses) + 1))[:wanted], name="many.txt")
    asyncio.run(store_long_text(folder, document))


async def store_long_text(folder: Path, document: Document) -> None:
    """Put a text into the collection that `ask_long_text` asks, without an index."""
    async with open_records(_settings_of_many(folder)) as records:
        await add_documents(records, [document], collection=_COLLECTION)


def _open_many(folder: Path, tokens: int) -> LongText:
    del tokens
    return asyncio.run(ask_long_text(folder, _minilm))


async def _minilm() -> Embedder:
    """What a user's questions are embedded with."""
    settings = load_settings({"embedding_model": DEFAULT_EMBEDDING_MODEL})
    return (await choose_embedder(settings, notify=print, progress=lambda name, done, total: None)).embedder


async def ask_long_text(folder: Path, open_model: Callable[[], Awaitable[Embedder]]) -> LongText:
    """Hold all that a question takes of a process: a model, the index, which is built where it is not, and the text.

    The model embeds a question and nothing else: vectors of the text are hashed words, since those of a model would
    take hours. The engine is a function.
    """
    settings = _settings_of_many(folder)
    model = await open_model()
    await model.embed(_QUESTIONS[:1])
    async with open_records(settings) as records:
        embedder = LateEmbedder(_free_embedder, notify=_unheard)
        workspace = Workspace(records, wrap_engine(ScriptedEngine(), settings, Budget()), embedder)
        with closing(await shelf_of_collection(records, _COLLECTION)) as shelf:
            index, seconds = await _timed(partial(shelf.index, workspace, emit=_silent))
            times = [(await _timed(partial(index.search, asked, k=64)))[1] * 1000 for asked in _QUESTIONS]
            options = AskOptions(strategy=Strategy.RETRIEVE)
            found = await ask(workspace, shelf, _QUESTIONS[0], options, fresh=True, emit=_silent)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        disk = _bytes_of_indexes(records)
    await model.aclose()
    return LongText(seconds, statistics.median(times), peak, disk, found.selection.context.tokens)


def _settings_of_many(folder: Path) -> Settings:
    return load_settings({"database": str(folder / "many.db")})


async def _free_embedder() -> EmbedderChoice:
    return EmbedderChoice(_FreeEmbedder(), "free")


def _bytes_of_indexes(records: Records) -> int:
    return sum(file.stat().st_size for file in records.indexes.rglob("*.index"))


async def _timed(work: Callable[[], Awaitable[_T]]) -> tuple[_T, float]:
    """What comes of it, and how many seconds it takes."""
    started = time.perf_counter()
    result = await work()
    return result, time.perf_counter() - started


def _silent(event: Event) -> None:
    del event


def _unheard(line: str) -> None:
    del line
