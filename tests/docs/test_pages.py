"""The pages: what can be run of them runs, what is generated is up to date, and the site is whole and stands alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.blocks import BLOCKS, DOCS, PAGES

ROOT = DOCS.parent
_ADDRESS = re.compile(r"https?://[^\s)\]>\"'`]+")
_LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=\"?(https?:|//)|<link\b[^>]*?\bhref=\"?(https?:|//)")


@pytest.mark.parametrize("page", [name for name, blocks in BLOCKS.items() if any(block.runs for block in blocks)])
def test_what_a_page_shows_runs(tmp_path: Path, page: str) -> None:
    shutil.copy(ROOT / "examples" / "novella.epub", tmp_path / "book.epub")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LDA_", "OPENAI_", "OTEL_"))}
    environment = kept | {
        "HOME": str(tmp_path / "home"),
        "LDA_DATABASE": str(tmp_path / "record.db"),
        "LDA_ENGINE": "scripted",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TERM": "dumb",
    }

    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "run_page.py"), str(DOCS / page)],
        check=False,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_each_command_of_a_page_is_marked_as_run_or_not(page: str) -> None:
    marks = {"run", "no-run"}
    assert not [block.line for block in BLOCKS[page] if block.commands and block.mark not in marks]
    assert not [block.line for block in BLOCKS[page] if not block.commands and block.mark not in {"", "no-run"}]


def test_what_is_generated_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_addresses_elsewhere_are_addresses(page: str) -> None:
    for address in _ADDRESS.findall((DOCS / page).read_text("utf-8")):
        parts = urlsplit(address.rstrip(".,;:"))
        assert parts.hostname
        assert parts.port is None or parts.port > 0


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    built = sorted((tmp_path / "site").rglob("*.html"))
    assert len(built) >= len(PAGES)
    assert not [page.name for page in built if _LOADED.search(page.read_text("utf-8"))]
    assert not [page.name for page in built if re.search(r"<p><code>(sh|python|toml)\b", page.read_text("utf-8"))]
