"""The example shop: its page in a browser, its own server, and the service that it asks."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright

from examples.shop.shop import create_shop, load_products
from longdoc.client import calls
from longdoc.storage.api_keys import Scope
from tests.service.running import Running, running, serving

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def _open_shop(tmp_path: Path) -> Generator[tuple[Running, str], None, None]:
    """A service, and the shop that asks it with a key."""
    with running(tmp_path / "a.db", keyless=False) as service:
        key = service.key("shop", frozenset({Scope.WRITE, Scope.PERSONALIZE}))
        with serving(_server(service.address, key)) as address:
            yield service, address


def test_titles_are_written_as_each_visitor_likes_them(tmp_path: Path) -> None:
    with _open_shop(tmp_path) as (service, address), httpx.Client(base_url=address) as shop:
        for visitor, word in (("ann", "Best"), ("bob", "Cheap")):
            assert shop.post("/visits", json={"visitor": visitor}).json() == {"service": "done"}
            assert not shop.get("/products/lamp/title", params={"visitor": visitor}).json()["personal"]
            for product in ("kettle", "tent", "knife"):
                liked = {"visitor": visitor, "product": product, "title": f"{word} {product}"}
                assert shop.post("/likes", json=liked).json() == {"service": "done"}
            told = shop.get("/products/lamp/title", params={"visitor": visitor}).json()
            assert told == {"title": f"{word} it", "personal": True, "reason": ""}
        with service.client(service.key("shop")) as client:
            assert len(client.send(calls.list_items("ann")).items) == 3
            shop.delete("/visitors", params={"visitor": "ann"})
            assert [one.user for one in client.send(calls.list_users()).users] == ["bob"]
        assert shop.get("/products/lamp/title", params={"visitor": "ann"}).json()["title"] == "Desk lamp"
        assert shop.get("/products/none/title", params={"visitor": "ann"}).status_code == 404


def test_the_shop_has_its_own_titles_while_the_service_is_away() -> None:
    with serving(_server("http://127.0.0.1:1", None)) as address, httpx.Client(base_url=address) as shop:
        assert [one["id"] for one in shop.get("/products").json()] == [one.id for one in load_products()]
        told = shop.get("/products/lamp/title", params={"visitor": "ann"}).json()
        assert (told["title"], told["personal"]) == ("Desk lamp", False)
        assert "does not reply" in shop.post("/visits", json={"visitor": "ann"}).json()["service"]


def test_the_page_shows_titles_for_who_came_in(tmp_path: Path, page: Page) -> None:
    with _open_shop(tmp_path) as (_, address):
        page.goto(address)
        expect(page.locator("#lamp h2")).to_have_text("Desk lamp")
        page.fill("#visitor", "<b>ann</b>")
        page.click("text=Come in")
        expect(page.locator("#lamp small")).to_contain_text("nothing is known")
        page.click("#kettle button")
        expect(page.locator("#lamp h2")).to_have_text("Whistling it")
        expect(page.locator("#lamp small")).to_have_text("written for you")
        page.click("text=Forget me")
        expect(page.locator("#lamp h2")).to_have_text("Desk lamp")
        assert page.locator("b").count() == 0


@pytest.fixture
def page() -> Generator[Page, None, None]:
    required = os.environ.get("BROWSER_FOR_TESTS")
    path = next(filter(None, map(shutil.which, [required] if required else _NAMES)), None)
    if path is None:
        pytest.skip("needs a Chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        opened = browser.new_page()
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
        browser.close()
    assert not errors


def _server(service: str, key: str | None) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(create_shop(service, key=key), log_config=None, access_log=False))
