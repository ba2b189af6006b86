"""A small shop whose product titles are written as each visitor likes them, by `lda serve`.

Start the service, then the shop, and open its address:

    lda serve --engine embedded
    python examples/shop/shop.py

What a visitor likes becomes an item of theirs: the product's text, and the title that they liked. The shop goes on with
its own titles while the service is away. Visitors say who they are, so this is an example and no shop: a real one knows
its visitors by a session, and asks them first.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from longdoc.client import AsyncClient, calls
from longdoc.client.calls import NewItem
from longdoc.errors import LdaError, NotFoundError

TASK = "title"
_FOLDER = Path(__file__).parent
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_KEY = "LDA_SHOP_KEY"

Visitor = Annotated[str, Field(min_length=1, max_length=50)]


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold, under a title of the shop's own."""

    id: str
    title: str
    text: str


class Visit(BaseModel):
    """Somebody comes in."""

    visitor: Visitor


class Like(BaseModel):
    """Somebody likes the title of a product."""

    visitor: Visitor
    product: str
    title: Annotated[str, Field(min_length=1, max_length=200)]


class Title(BaseModel):
    """A title for somebody; `reason` says why there is nothing personal about it."""

    title: str
    personal: bool
    reason: str


def create_shop(service: str, *, key: str | None = None) -> FastAPI:
    """The shop, with the service that knows its visitors at an address."""
    products = {one.id: one for one in load_products()}
    client = AsyncClient(service, key=key)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        del app
        async with client:
            yield

    shop = FastAPI(title="A small shop", lifespan=lifespan)
    page = (_FOLDER / "shop.html").read_text(encoding="utf-8")
    headers = {"content-security-policy": _policy(page)}

    async def show_page() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    async def list_products() -> list[Product]:
        return list(products.values())

    async def come_in(visit: Visit) -> dict[str, str]:
        return await _kept(client, calls.put_user(visit.visitor))

    async def like(liked: Like) -> dict[str, str]:
        product = _product(products, liked.product)
        item = NewItem(TASK, product.id, product.text, liked.title)
        return await _kept(client, calls.put_items(liked.visitor, [item]))

    async def write_title(product: str, visitor: str) -> Title:
        return await _title(client, _product(products, product), visitor)

    async def forget(visitor: str) -> dict[str, str]:
        return await _kept(client, calls.delete_user(visitor))

    shop.get("/")(show_page)
    shop.get("/products")(list_products)
    shop.post("/visits")(come_in)
    shop.post("/likes")(like)
    shop.get("/products/{product}/title")(write_title)
    shop.delete("/visitors")(forget)
    return shop


def load_products() -> list[Product]:
    """What the shop sells."""
    return [Product(**one) for one in json.loads((_FOLDER / "products.json").read_text(encoding="utf-8"))]


async def _title(client: AsyncClient, product: Product, visitor: str) -> Title:
    """A title as the visitor likes them; the shop's own where nothing is known, or the service is away."""
    try:
        answer = await client.send(calls.personalize(visitor, product.text, task=TASK))
    except LdaError as error:
        return Title(title=product.title, personal=False, reason=str(error))
    if not answer.context.personal or not answer.output:
        return Title(title=product.title, personal=False, reason=answer.context.reason or "no title came")
    return Title(title=answer.output, personal=True, reason="")


async def _kept(client: AsyncClient, call: calls.Call[object]) -> dict[str, str]:
    """Have the service keep something; that it could not is told, and no error of the shop's."""
    try:
        await client.send(call)
    except NotFoundError:
        return {"service": "nothing to do"}
    except LdaError as error:
        return {"service": str(error)}
    return {"service": "done"}


def _product(products: Mapping[str, Product], id_: str) -> Product:
    if id_ not in products:
        raise HTTPException(404, "there is no such product")
    return products[id_]


def _policy(page: str) -> str:
    """A content security policy that allows the page's own script and style by their checksums, and nothing else."""
    sums: dict[str, str] = {}
    for kind, text in _INLINE.findall(page):
        sums[kind] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    allowed = "; ".join(f"{kind}-src 'sha256-{one}'" for kind, one in sums.items())
    return f"default-src 'none'; connect-src 'self'; form-action 'none'; base-uri 'none'; {allowed}"


def main() -> None:
    """Serve the shop."""
    parser = argparse.ArgumentParser(description="A small shop with titles for each visitor.")
    parser.add_argument("--service", default="http://127.0.0.1:8765", help="address of lda serve")
    parser.add_argument("--port", type=int, default=8800)
    given = parser.parse_args()
    uvicorn.run(create_shop(given.service, key=os.environ.get(_KEY)), port=given.port)


if __name__ == "__main__":
    main()
