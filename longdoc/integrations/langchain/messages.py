"""Messages of LangChain as messages that can be read: who says them, their texts, and files as documents."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage

from longdoc.app.message_reading import Reading, Role, Said, read_messages
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes, read_pasted
from longdoc.errors import ConfigError

_ROLES: Final[Mapping[str, Role]] = {"system": "system", "ai": "assistant", "tool": "tool", "function": "tool"}
_SPOKEN: Final[Mapping[str, Role]] = {"system": "system", "developer": "system", "assistant": "assistant"}


async def read_chat(messages: Sequence[BaseMessage], *, of_documents: bool = False) -> Reading:
    """Read messages as `read_messages` does. Raises `ConfigError` for parts that cannot be read and where nothing is
    asked, kinds of `DocumentError`."""
    return await read_messages([await _said(message) for message in messages], of_documents=of_documents)


async def _said(message: BaseMessage) -> Said:
    role: Role = _ROLES.get(message.type) or _SPOKEN.get(str(getattr(message, "role", "")), "user")
    if role in {"assistant", "tool"}:  # reasoning and calls are no text of theirs
        return Said(role, [str(message.text)])
    return Said(role, [await _part(dict(block)) for block in message.content_blocks])


async def _part(part: Mapping[str, Any]) -> str | Document:
    if part["type"] == "text":
        return part["text"]
    if part["type"] in {"file", "text-plain"}:
        return await asyncio.to_thread(_file, part)
    raise ConfigError(f"parts of type {part['type']!r} cannot be read; send text and files")


def _file(part: Mapping[str, Any]) -> Document:
    extras: Mapping[str, Any] = part.get("extras") or {}
    name = str(part.get("filename") or extras.get("filename") or part.get("title") or "file")
    if isinstance(text := part.get("text"), str):
        return read_pasted(text, name=name)
    try:
        data = base64.b64decode(part["base64"], validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise ConfigError("a file has to be given as base64; addresses on the net are not fetched") from error
    return read_bytes(data, name=name)
