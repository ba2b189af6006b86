"""What indexes are made from, where several processes make it at once."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from longdoc.retrieval.index_rows import IndexRows
from tests.retrieval.test_collection_index import CountedEmbedder, Place, book, with_place


class SlowEmbedder(CountedEmbedder):
    """One that takes a while, so that others are at work meanwhile."""

    async def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        await asyncio.sleep(0.2)
        return await super().embed(texts)


def test_who_embed_one_document_at_once_share_the_work(tmp_path: Path) -> None:
    long = book("delta", sentences=24000)

    async def work(place: Place) -> None:
        await place.documents.save(long)
        parts = (await IndexRows(place.documents, place.embeddings).layout(long.id)).parts
        embedder = SlowEmbedder()
        told: list[int] = []
        await asyncio.gather(
            *(
                IndexRows(place.documents, place.embeddings).embed(long.id, embedder, progress=told.append)
                for _ in range(2)
            )
        )
        assert len(parts) > 8 * 256
        assert len(embedder.asked) <= len(parts) + 2 * 256
        assert sum(told) == 2 * len(parts)
        again = SlowEmbedder()
        await IndexRows(place.documents, place.embeddings).embed(long.id, again, progress=told.append)
        assert again.asked == []

    with_place(tmp_path, work)
