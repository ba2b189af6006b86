"""From messages to what is asked: the instruction, the documents it is asked of, and the turns before it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from longdoc.agents.follow_up import Turn
from longdoc.app.service.callers import Asked
from longdoc.app.service.chat_completions_bodies import FileBody, MessageBody, PartBody
from longdoc.app.service.chat_completions_texts import LONG, parted, without_marks
from longdoc.app.service.openai_files import read_file
from longdoc.app.service.problems import refused
from longdoc.documents.document import Document
from longdoc.documents.readers import read_pasted
from longdoc.errors import ServiceError

_LONGEST_ANSWER = 2_000
"""Characters of an answer given before that count for what is asked after it."""
_SUMMARIZE = "Summarize this."
_TEXTS = frozenset({"text", "refusal", "input_text", "output_text"})
_FILES = frozenset({"file", "input_file"})


@dataclass(slots=True)
class Reading:
    """What messages ask. `files` tells by a document which file it came from; `warnings` are sentences for who asks."""

    instruction: str = ""
    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    turns: list[Turn] = field(default_factory=list[Turn])
    files: dict[str, str] = field(default_factory=dict[str, str])
    warnings: list[str] = field(default_factory=list[str])


async def read_messages(asked: Asked, messages: Sequence[MessageBody]) -> Reading:
    """Read the messages of a conversation, whose last turn is what is asked.

    Long texts are documents, as are files. Raises `ServiceError` for what cannot be read, `NotFoundError` for files
    that the tenant has not, `DocumentError`.
    """
    return await _Reader(asked).read(messages)


class _Reader:
    """The messages of one request, read in their order."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._reading = Reading()
        self._system: list[str] = []
        self._pending: list[str] | None = None
        self._texts = 0

    async def read(self, messages: Sequence[MessageBody]) -> Reading:
        reading = self._reading
        for message in messages:
            if message.role in {"system", "developer"}:
                self._system += await self._said(message, whole=True)
            elif message.role == "user":
                self._pending = [*(self._pending or []), *await self._said(message)]
            elif message.role == "assistant":
                self._answered(message)
            elif any(await self._said(message, whole=True)):
                reading.warnings.append("what tools said counts only where it is long")
        if self._pending is None:
            raise refused(400, "nothing-asked", "the last message has to be a user's")
        reading.instruction = self._instruction(self._pending)
        self._take_system()
        return reading

    def _take_system(self) -> None:
        """Short system messages stand before what is asked of no document; a search would take them for its words."""
        if not self._system:
            return
        if self._reading.documents:
            self._reading.warnings.append("the system message does not count where documents are asked")
        else:
            self._reading.instruction = "\n\n".join([*self._system, self._reading.instruction])

    def _instruction(self, said: Sequence[str]) -> str:
        instruction = "\n\n".join(said)
        if not instruction and not self._reading.documents:
            raise refused(400, "nothing-asked", "the last message is empty; say what to do")
        if not instruction:
            self._reading.warnings.append("the message does not say what to do, so its text is summarized")
        return instruction or _SUMMARIZE

    def _answered(self, message: MessageBody) -> None:
        """An answer ends a turn; what was called besides is no text of it."""
        answer = without_marks("\n".join(_text(part) for part in message.parts))
        if self._pending is not None and answer:
            question = "\n\n".join(self._pending) or _SUMMARIZE
            self._reading.turns.append(Turn(question, answer[:_LONGEST_ANSWER]))
            self._pending = None

    async def _said(self, message: MessageBody, *, whole: bool = False) -> list[str]:
        """The short texts of a message; what is long in it becomes documents, as a `whole` or without what is asked."""
        texts = [_text(part) for part in message.parts if part.type in _TEXTS]
        has_short = any(text.strip() and len(text) <= LONG for text in texts)
        said: list[str] = []
        for part in message.parts:
            if part.type in _FILES and part.file is not None:
                self._keep(await self._file(part.file))
            elif part.type in _TEXTS:
                said += await self._short(_text(part), whole=whole or has_short)
            else:
                raise refused(
                    400, "unsupported", f"parts of type {part.type[:50]!r} cannot be read; send text and files"
                )
        return said

    async def _short(self, text: str, *, whole: bool) -> list[str]:
        if whole and len(text) > LONG:
            instruction, document = "", text
        else:
            found = parted(text)
            instruction, document = found.instruction, found.document
        if document:
            self._texts += 1
            async with self._asked.parts.reading:
                self._keep(await asyncio.to_thread(read_pasted, document, name=f"text {self._texts}"))
        return [instruction] if instruction else []

    async def _file(self, file: FileBody) -> Document:
        records, tenant = self._asked.parts.library.records, self._asked.tenant
        if file.file_id is not None:
            stored = await records.files.get(tenant.id, file.file_id)
            self._reading.files[stored.document_id] = stored.id
            return stored.own(await records.documents.load(stored.document_id))
        if file.file_data is None:
            raise refused(400, "invalid", "a file needs a file_id, or file_data")
        async with self._asked.parts.reading:
            return await read_file(file.filename or "file", await asyncio.to_thread(_decoded, file.file_data))

    def _keep(self, document: Document) -> None:
        self._reading.documents.setdefault(document.id, document)
        self._reading.warnings += _new(document.warnings, self._reading.warnings)


def _new(warnings: Iterable[str], known: Sequence[str]) -> list[str]:
    return [one for one in warnings if one not in known]


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
