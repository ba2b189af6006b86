import random
from pathlib import Path

import pytest

from tests.e2e.command import Lda

_NAMES = ("Ada", "Bela", "Chike", "Dara", "Emil", "Fatima")
_VERBS = ("found", "hid", "carried", "sold", "painted", "mended")
_THINGS = ("the lamp", "a letter", "the boat", "an old key", "the ledger", "a map")


def _sentence(choose: random.Random) -> str:
    what = f"{choose.choice(_NAMES)} {choose.choice(_VERBS)} {choose.choice(_THINGS)}"
    return f"{what} on day {choose.randint(1, 999)}."


def made_book(chapters: int, sentences: int) -> str:
    """A book of simple sentences, the same every time."""
    choose = random.Random(7)
    lines: list[str] = []
    for chapter in range(1, chapters + 1):
        lines.append(f"# Chapter {chapter}\n")
        lines.extend(" ".join(_sentence(choose) for _ in range(5)) + "\n" for _ in range(sentences // 5))
    return "\n".join(lines)


@pytest.fixture
def lda(tmp_path: Path) -> Lda:
    """`lda` on the scripted engine."""
    return Lda(tmp_path, {"LDA_ENGINE": "scripted"})


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book of 12 chapters, about 10,000 words."""
    path = tmp_path / "book.md"
    path.write_text(made_book(chapters=12, sentences=120), encoding="utf-8")
    return path
