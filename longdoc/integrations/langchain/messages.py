"""Messages of LangChain read as a request: what is asked, the documents it is asked of, the turns before it.

Long texts in messages and files are documents: they are what no window has to hold.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from longdoc.agents.follow_up import Turn
from longdoc.app.service.chat_completions_texts import parted, without_marks
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes
from longdoc.errors import ConfigError

_SUMMARIZE: Final = "Summarize this."
_LONGEST_ANSWER: Final = 2_000
"""Characters of an answer given before that count for what is asked after it."""


@dataclass(slots=True)
class Request:
    """What messages ask."""

    instruction: str = ""
    documents: list[Document] = field(default_factory=list[Document])
    turns: list[Turn] = field(default_factory=list[Turn])


def read_messages(messages: Sequence[BaseMessage]) -> Request:
    """Read messages, of which the last one that is no answer asks.

    Short system messages stand before what is asked of no document: a search would take them for its words. Raises
    `ConfigError` for parts that cannot be read and where nothing is asked, kinds of `DocumentError`.
    """
    request, system, pending = Request(), list[str](), list[str]()
    for message in messages:
        if isinstance(message, SystemMessage):
            system += _said(message, request)
        elif isinstance(message, HumanMessage):
            pending += _said(message, request)
        elif isinstance(message, AIMessage) and (answer := without_marks(str(message.text))) and pending:
            request.turns.append(Turn("\n\n".join(pending), answer[:_LONGEST_ANSWER]))
            pending = []
    if not pending and not request.documents:
        raise ConfigError("nothing is asked: the last message has to be a person's")
    before = [] if request.documents else system
    request.instruction = "\n\n".join([*before, *(pending or [_SUMMARIZE])])
    return request


def _said(message: BaseMessage, request: Request) -> list[str]:
    """The short texts of a message; what is long in it, and files, become documents of the request."""
    said: list[str] = []
    for block in message.content_blocks:
        part: Mapping[str, Any] = dict(block)
        if part["type"] == "text":
            found = parted(part["text"])
            said += [found.instruction] if found.instruction else []
            if found.document is not None:
                name = f"text {len(request.documents) + 1}.txt"
                request.documents.append(read_bytes(found.document.encode("utf-8", "replace"), name=name))
        elif part["type"] in {"file", "text-plain"}:
            request.documents.append(_file(part))
        else:
            raise ConfigError(f"parts of type {part['type']!r} cannot be read; send text and files")
    return said


def _file(part: Mapping[str, Any]) -> Document:
    extras: Mapping[str, Any] = part.get("extras") or {}
    name = str(part.get("filename") or extras.get("filename") or part.get("title") or "file")
    if isinstance(text := part.get("text"), str):
        return read_bytes(text.encode("utf-8", "replace"), name=name)
    try:
        return read_bytes(base64.b64decode(part["base64"], validate=True), name=name)
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise ConfigError("a file has to be given as base64; addresses on the net are not fetched") from error
