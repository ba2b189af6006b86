"""The pages: what can be run of them runs, what is generated is up to date, and the site is whole and stands alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.cli.test_report_page import _browser_path as browser_path
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built; whatever MkDocs warns of (links, anchors, pages that are nowhere) is an error."""
    folder = tmp_path_factory.mktemp("pages") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_is_whole_and_names_nothing_elsewhere_to_be_loaded(site: Path) -> None:
    built = {page.name: page.read_text("utf-8") for page in sorted(site.rglob("*.html"))}
    assert len(built) >= len(PAGES)
    assert not [name for name, page in built.items() if _LOADED.search(page)]
    assert not [name for name, page in built.items() if re.search(r"<p><code>(sh|python|toml)\n", page)]


def test_pages_are_drawn_and_searched_in_a_browser_that_asks_nobody_else(site: Path) -> None:
    asked: list[str] = []
    errors: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path())
            page = browser.new_page(viewport={"width": 390, "height": 800})
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            for name in ("cli.html", "reference.html", "index.html"):
                page.goto(f"{address}/{name}")
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
            page.locator("label[for=__search]").first.click()
            ready = page.locator(".md-search-result__meta")
            expect(ready).to_have_text("Type to start searching", timeout=30_000)
            page.locator("input[name=query]").press_sequentially("exit codes")  # keys are what it listens to
            expect(page.locator(".md-search-result__item").first).to_be_visible(timeout=30_000)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not errors


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the class has it
        """Say nothing."""
