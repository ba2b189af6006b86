"""Every example in a docstring of the Python face runs: `lda` is open, and `book.epub` lies in the folder."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from longdoc import AsyncLongDoc, LongDoc
from longdoc.app.api_chat import AsyncChat
from longdoc.app.api_profiles import AsyncUser
from longdoc.app.api_work import Work
from tests.app.api_records import book_in, face, sync_face

_BLOCK = re.compile(r"^ *```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def examples(*classes: type) -> Iterator[tuple[str, str]]:
    """Names and code of the examples of classes and their methods."""
    for owner in classes:
        documented = {owner.__name__: owner.__doc__}
        for name, member in inspect.getmembers(owner, callable):
            if not name.startswith("_"):
                documented[f"{owner.__name__}.{name}"] = member.__doc__
        for name, text in documented.items():
            for number, block in enumerate(_BLOCK.findall(text or "")):
                yield f"{name}-{number}", textwrap.dedent(block)


ASYNC = dict(examples(AsyncLongDoc, Work, AsyncChat, AsyncUser))
SYNC = dict(examples(LongDoc))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where examples run: the scripted engine answers, and a record of its own is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LDA_ENGINE", "scripted")
    monkeypatch.setenv("LDA_EMBEDDING_MODEL", "hashed")
    monkeypatch.setenv("LDA_DATABASE", str(tmp_path / "other.db"))
    book_in(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", ASYNC.values(), ids=ASYNC)
def test_an_example_with_a_loop(code: str, folder: Path) -> None:
    async def main() -> None:
        async with face(folder) as lda:
            compiled = compile(code, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            names = {"lda": lda, "AsyncLongDoc": AsyncLongDoc}
            running = eval(compiled, names)
            if running is not None:
                await running

    asyncio.run(main())


@pytest.mark.parametrize("code", SYNC.values(), ids=SYNC)
def test_an_example_without_a_loop(code: str, folder: Path) -> None:
    with sync_face(folder) as lda:
        exec(code, {"lda": lda, "LongDoc": LongDoc})


def test_every_capability_has_an_example() -> None:
    shown = {name.split(".")[1].split("-")[0] for name in ASYNC if "." in name}
    assert {"open", "collect", "summarize", "ask", "check", "write", "personalize", "do", "plan", "runs"} <= shown
    assert {"map_summaries", "map_answers", "map_checks", "map_drafts"} <= shown
