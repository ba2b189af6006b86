"""From messages in OpenAI's shape to what is asked: their files are fetched and read.

The rules for the rest are those of `message_reading`, which other faces have, too.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.app.message_reading import Reading, Role, Said, read_messages
from longdoc.app.service.callers import Asked
from longdoc.app.service.chat_completions_bodies import FileBody, MessageBody, PartBody
from longdoc.app.service.openai_files import read_file
from longdoc.app.service.problems import refused
from longdoc.documents.document import Document
from longdoc.errors import ServiceError

_TEXTS = frozenset({"text", "refusal", "input_text", "output_text"})
_FILES = frozenset({"file", "input_file"})
_ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
"""Who says a message; whatever else there is says what tools do."""


@dataclass(frozen=True, slots=True)
class BodyReading:
    """What messages ask. `files` tells by a document which file it came from."""

    asked: Reading
    files: Mapping[str, str]


async def read_bodies(asked: Asked, messages: Sequence[MessageBody], *, of_documents: bool) -> BodyReading:
    """Read the messages of a conversation, whose last turn is what is asked. `of_documents`: there are others besides.

    Raises `ServiceError` for what cannot be read, `NotFoundError` for files that the tenant has not, `ConfigError`
    where nothing is asked, `DocumentError`.
    """
    files: dict[str, str] = {}
    said = [Said(_ROLES.get(one.role, "tool"), await _parts(asked, one, files)) for one in messages]
    async with asked.parts.reading:
        return BodyReading(await read_messages(said, of_documents=of_documents), files)


async def _parts(asked: Asked, message: MessageBody, files: dict[str, str]) -> Sequence[str | Document]:
    """The texts and documents of a message; of an answer its texts alone."""
    if message.role == "assistant":
        return [_text(part) for part in message.parts]
    found: list[str | Document] = []
    for part in message.parts:
        if part.type in _FILES and part.file is not None:
            found.append(await _file(asked, part.file, files))
        elif part.type in _TEXTS:
            found.append(_text(part))
        else:
            raise refused(400, "unsupported", f"parts of type {part.type[:50]!r} cannot be read; send text and files")
    return found


async def _file(asked: Asked, file: FileBody, files: dict[str, str]) -> Document:
    records, tenant = asked.parts.library.records, asked.tenant
    if file.file_id is not None:
        stored = await records.files.get(tenant.id, file.file_id)
        files[stored.document_id] = stored.id
        return stored.own(await records.documents.load(stored.document_id))
    if file.file_data is None:
        raise refused(400, "invalid", "a file needs a file_id, or file_data")
    async with asked.parts.reading:
        return await read_file(file.filename or "file", await asyncio.to_thread(_decoded, file.file_data))


def _text(part: PartBody) -> str:
    return part.text or part.refusal or ""


def _decoded(data: str) -> bytes:
    """The bytes of base64, in a data URL or by itself. Raises `ServiceError`."""
    if data.startswith("data:"):
        head, _, data = data.partition(",")
        if not head.endswith(";base64"):
            raise _not_base64()
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _not_base64() from error


def _not_base64() -> ServiceError:
    return refused(400, "invalid", "file_data has to be base64, by itself or as data:TYPE;base64,…")
