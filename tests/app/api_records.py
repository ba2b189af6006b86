"""The Python face for tests: on a scripted engine, with a record in a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from longdoc import AsyncLongDoc, LongDoc

NOVELLA = Path(__file__).parents[2] / "examples" / "novella.epub"


def face(folder: Path, **settings: object) -> AsyncLongDoc:
    """`AsyncLongDoc` with its record in a folder."""
    return AsyncLongDoc(engine="scripted", embedding_model="hashed", database=str(folder / "record.db"), **settings)


def sync_face(folder: Path, **settings: object) -> LongDoc:
    """`LongDoc` with its record in a folder."""
    return LongDoc(engine="scripted", embedding_model="hashed", database=str(folder / "record.db"), **settings)


def letters(folder: Path, count: int, *, words: int = 30) -> list[Path]:
    """Short documents, each another one."""
    paths = [folder / f"letter-{number}.md" for number in range(count)]
    for number, path in enumerate(paths):
        sentences = " ".join(f"Ferry {number} leaves quay {n} at nine." for n in range(words // 7 + 1))
        path.write_text(f"# Letter {number}\n\n{sentences}\n", encoding="utf-8")
    return paths


def book_in(folder: Path) -> Path:
    """The example book in a folder."""
    return Path(shutil.copy(NOVELLA, folder / "book.epub"))
