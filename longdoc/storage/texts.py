"""Texts stored once: by the SHA-256 of their UTF-8 bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, select

from longdoc.storage.inserts import insert_missing
from longdoc.storage.schema import texts

_HASHED_AT_ONCE = 1 << 20


def text_sha256(text: str) -> str:
    """What a text is stored under."""
    digest = hashlib.sha256()
    for start in range(0, len(text), _HASHED_AT_ONCE):
        digest.update(_encoded(text[start : start + _HASHED_AT_ONCE]))
    return digest.hexdigest()


def store_text(connection: Connection, sha256: str, text: str) -> None:
    """Store a text unless it is there."""
    if connection.execute(select(texts.c.sha256).where(texts.c.sha256 == sha256)).first() is None:
        insert_missing(connection, texts, [{"sha256": sha256, "body": _encoded(text)}])


def stored_texts(connection: Connection, sha256s: Iterable[str]) -> dict[str, str]:
    """Those of the texts that are there."""
    found = connection.execute(select(texts.c.sha256, texts.c.body).where(texts.c.sha256.in_(list(sha256s))))
    return {row.sha256: decoded(row.body) for row in found}


def decoded(body: bytes) -> str:
    """The text of a body."""
    return body.decode("utf-8", "surrogatepass")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
