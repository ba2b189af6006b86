"""Our search as a retriever of LlamaIndex."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from typing_extensions import override

from longdoc.app.api_inputs import Inputs
from longdoc.integrations.desk import Desk, Match, Opened
from longdoc.integrations.llama_index.nodes import to_node


class LongDocRetriever(BaseRetriever):
    """Finds stretches of documents of any length, or of a collection, by words and meaning, for any query engine.

    `lda` is a `LongDoc` (or an `AsyncLongDoc`, to be awaited on its loop), `documents` what `LongDoc.ask` takes, `k`
    how many stretches are found. Nodes have their offsets in the text, and in their metadata `document`, `title`,
    `source`, `section` and `page`. Raises what `LongDoc.ask` raises for documents.

    ```python
    retriever = LongDocRetriever(lda, "book.epub", k=4)
    for found in retriever.retrieve("Who keeps the light?"):
        print(found.score, found.node.metadata["section"], found.text)
    ```
    """

    def __init__(self, lda: Opened, documents: Inputs = (), *, collection: str | None = None, k: int = 6) -> None:
        self._desk = Desk(lda, documents, collection)
        self._k = k
        super().__init__()  # pyright: ignore[reportUnknownMemberType] of parameters not used here

    @override
    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        question = query_bundle.query_str
        return _scored(self._desk.run(lambda lda: self._desk.search(lda, question, k=self._k)))

    @override
    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        question = query_bundle.query_str
        return _scored(await self._desk.arun(lambda lda: self._desk.search(lda, question, k=self._k)))


def _scored(found: Sequence[Match]) -> list[NodeWithScore]:
    return [NodeWithScore(node=to_node(one.document, one.start, one.end), score=one.score) for one in found]
