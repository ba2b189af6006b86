"""Our search as a retriever of LangChain."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import PrivateAttr

from longdoc.integrations.desk import Desk, Match, Opened


class LongDocRetriever(BaseRetriever):
    """Finds stretches of documents of any length, or of a collection, by words and meaning.

    `lda` is a `LongDoc` (or an `AsyncLongDoc`, to be awaited on its loop), `documents` what `LongDoc.ask` takes, `k`
    how many stretches are found. The metadata of each tell where it stands: `document` (its id), `title`, `source`,
    `section` (titles, the outermost first), `page`, `start` and `end` in characters of the document's text, and its
    `score`. Raises what `LongDoc.ask` raises for documents.

    ```python
    retriever = LongDocRetriever(lda=lda, documents="book.epub", k=4)
    for found in retriever.invoke("Who keeps the light?"):
        print(found.metadata["section"], found.page_content)
    ```
    """

    lda: Opened
    documents: Any = ()
    collection: str | None = None
    k: int = 6
    _desk: Desk = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Keep what is asked, so that documents are read once."""
        self._desk = Desk(self.lda, self.documents, self.collection)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        found = self._desk.run(lambda lda: self._desk.search(lda, query, k=k or self.k))
        return [to_document(match) for match in found]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        found = await self._desk.arun(lambda lda: self._desk.search(lda, query, k=k or self.k))
        return [to_document(match) for match in found]


def to_document(match: Match) -> Document:
    """What was found as a document of LangChain."""
    document, place = match.document, match.place
    return Document(
        page_content=match.text,
        id=f"{document.id[:16]}:{match.start}-{match.end}",
        metadata={
            "document": document.id,
            "title": document.title,
            "source": document.source,
            "section": " > ".join(place.section),
            "page": place.page,
            "start": match.start,
            "end": match.end,
            "score": match.score,
        },
    )
