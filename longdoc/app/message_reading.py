"""Messages of a conversation read as a request: what is asked, the documents it is asked of, the turns before it.

Owns the rules for that; what messages are made of elsewhere, and how files in them are read, is not its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from longdoc.agents.follow_up import Turn
from longdoc.app.message_texts import LONG, parted, without_marks
from longdoc.documents.document import Document
from longdoc.documents.readers import read_pasted
from longdoc.errors import ConfigError

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]

SUMMARIZE: Final = "Summarize this."
"""What is asked where a text comes without a word on it."""
_LONGEST_ANSWER: Final = 2_000
"""Characters of an answer given before that count for what is asked after it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message: who says it, and its texts and documents in their order."""

    role: Role
    parts: Sequence[str | Document]


@dataclass(slots=True)
class Reading:
    """What messages ask; `warnings` are sentences for who asks."""

    instruction: str = ""
    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    turns: list[Turn] = field(default_factory=list[Turn])
    warnings: list[str] = field(default_factory=list[str])


async def read_messages(messages: Iterable[Said], *, of_documents: bool = False) -> Reading:
    """Read the messages of a conversation, whose last turn is what is asked; long texts are documents.

    `of_documents`: there are documents besides that it is asked of. Raises `ConfigError` where nothing is asked,
    `DocumentError`.
    """
    return await _Reader(of_documents=of_documents).read(messages)


class _Reader:
    """The messages of one request, read in their order."""

    def __init__(self, *, of_documents: bool) -> None:
        self._of_documents = of_documents
        self._reading = Reading()
        self._system: list[str] = []
        self._pending: list[str] | None = None
        self._texts = 0

    async def read(self, messages: Iterable[Said]) -> Reading:
        for message in messages:
            if message.role == "system":
                self._system += await self._said(message, whole=True)
            elif message.role == "user":
                self._pending = [*(self._pending or []), *await self._said(message)]
            elif message.role == "assistant":
                self._answered(message)
            elif any(await self._said(message, whole=True)):
                self._warn(["what tools said counts only where it is long"])
        if self._pending is None:
            raise ConfigError("nothing is asked: the last message has to be a user's")
        self._reading.instruction = self._instruction(self._pending)
        self._take_system()
        return self._reading

    def _instruction(self, said: Sequence[str]) -> str:
        instruction = "\n\n".join(said)
        if not instruction and not self._reading.documents:
            raise ConfigError("the last message is empty; say what to do")
        if not instruction:
            self._warn(["the message does not say what to do, so its text is summarized"])
        return instruction or SUMMARIZE

    def _take_system(self) -> None:
        """Short system messages stand before what is asked of no document; a search would take them for its words."""
        if not self._system:
            return
        if self._reading.documents or self._of_documents:
            self._warn(["the system message does not count where documents are asked"])
        else:
            self._reading.instruction = "\n\n".join([*self._system, self._reading.instruction])

    def _answered(self, message: Said) -> None:
        """An answer ends a turn; what was called besides is no text of it."""
        answer = without_marks("\n".join(part for part in message.parts if isinstance(part, str)))
        if self._pending is not None and answer:
            question = "\n\n".join(self._pending) or SUMMARIZE
            self._reading.turns.append(Turn(question, answer[:_LONGEST_ANSWER]))
            self._pending = None

    async def _said(self, message: Said, *, whole: bool = False) -> list[str]:
        """The short texts of a message. What is long in it becomes a document: without what is asked in it, or as a
        `whole`, also where a short text beside it says what is asked."""
        texts = [part for part in message.parts if isinstance(part, str)]
        whole = whole or any(text.strip() and len(text) <= LONG for text in texts)
        said: list[str] = []
        for part in message.parts:
            if isinstance(part, Document):
                self._keep(part)
            elif instruction := await self._short(part, whole=whole):
                said.append(instruction)
        return said

    async def _short(self, text: str, *, whole: bool) -> str:
        """What a text asks; what else there is in it is kept."""
        if whole and len(text) > LONG:
            instruction, document = "", text
        else:
            found = parted(text)
            instruction, document = found.instruction, found.document
        if document:
            self._texts += 1
            self._keep(await asyncio.to_thread(read_pasted, document, name=f"text {self._texts}"))
        return instruction

    def _keep(self, document: Document) -> None:
        self._reading.documents.setdefault(document.id, document)
        self._warn(document.warnings)

    def _warn(self, warnings: Iterable[str]) -> None:
        self._reading.warnings += [one for one in warnings if one not in self._reading.warnings]
