"""Documents in a conversation: what is said is first looked for in them, and answered from there with citations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.agents.answer_reader import Answer
from longdoc.agents.events import Emit, Warned
from longdoc.agents.follow_up import MOST_TURNS, Turn
from longdoc.app.answer_records import answer_json
from longdoc.app.ask import AskResult, Owner, ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import AskOptions
from longdoc.app.runs import RunUsage
from longdoc.app.shelf import Shelf, shelf_of
from longdoc.documents.document import Document
from longdoc.errors import ConfigError, InvalidOutputError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.memory_types import Memory

POLICY = "documents"
"""What a decision names where an answer was read from documents."""


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """An answer that was found in documents, and the decision that stands for it."""

    answer: Answer
    decision: dict[str, JsonValue]
    usage: RunUsage
    run_id: str


class ChatDocuments:
    """The documents of a session, opened at the first question and again when one is added."""

    def __init__(self, workspace: Workspace, ids: Sequence[str]) -> None:
        self._workspace = workspace
        self._ids = tuple(dict.fromkeys(ids))
        self._shelf: Shelf | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the documents, in the order in which they came."""
        return self._ids

    async def add(self, documents: Sequence[Document]) -> None:
        """Store documents and answer from them too, from now on."""
        for document in documents:
            await self._workspace.records.documents.save(document)
        self._ids = tuple(dict.fromkeys([*self._ids, *(document.id for document in documents)]))
        self.close()

    async def answer(
        self, said: Memory, before: Sequence[Memory], *, namespace: int, emit: Emit
    ) -> DocumentAnswer | None:
        """The answer to what was said as far as the documents hold one; None where they do not.

        `before` are turns that were said before it. Where the documents cannot be asked, a warning says why. Raises
        what the engine raises but for answers that cannot be used.
        """
        shelf = await self._opened()
        if shelf is None:
            return None
        quoted = before[-MOST_TURNS:]
        turns = [Turn(one.observation, one.response) for one in quoted]
        owner = Owner(namespace, said.number, [one.number for one in quoted])
        try:
            result = await ask(
                self._workspace, shelf, said.observation, AskOptions(), turns=turns, owner=owner, emit=emit
            )
        except (ConfigError, InvalidOutputError) as error:
            emit(Warned(f"the documents were not asked: {error}"))
            return None
        if not result.answer.found:
            return None
        return DocumentAnswer(result.answer, _decision(result), result.usage, result.run_id)

    def close(self) -> None:
        """Free the index. Idempotent."""
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None

    async def _opened(self) -> Shelf | None:
        if self._shelf is None and self._ids:
            documents = [await self._load(one) for one in self._ids]
            there = [document for document in documents if document is not None]
            self._shelf = await shelf_of(self._workspace.records, there) if there else None
        return self._shelf

    async def _load(self, document_id: str) -> Document | None:
        try:
            return await self._workspace.records.documents.load(document_id)
        except NotFoundError:
            return None


def _decision(result: AskResult) -> dict[str, JsonValue]:
    return {
        "policy": POLICY,
        "reason": f"found in the documents by {result.choice.strategy}: {result.choice.reason}",
        "run": result.run_id,
        "asked": result.asked,
        "answer": answer_json(result.answer),
    }
