"""Memory of a long text: the process that is measured holds what a question of a user takes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.index_speed import LongText, ask_long_text, store_long_text
from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document
from longdoc.engines.embedder import Embedder
from longdoc.engines.embedder_hashed import HashedEmbedder


class WatchedEmbedder(HashedEmbedder):
    """Knows what it was asked for and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.closed = False

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return await super().embed(texts)

    async def aclose(self) -> None:
        self.closed = True


def text() -> Document:
    builder = DocumentBuilder("text", "kings.txt")
    for number in range(400):
        builder.add_block(f"{number}. After the death of his father he was king over Israel for {number} years.")
    return builder.build()


def asked(folder: Path, model: Embedder) -> LongText:
    async def opened() -> Embedder:
        return model

    async def main() -> LongText:
        await store_long_text(folder, text())
        return await ask_long_text(folder, opened)

    return asyncio.run(main())


def test_a_model_embeds_a_question_and_an_answer_is_read_from_the_text(tmp_path: Path) -> None:
    model = WatchedEmbedder()
    found = asked(tmp_path, model)
    assert len(model.asked) == 1
    assert "king" in model.asked[0]
    assert found.read > 1000
    assert found.disk > 0
    assert found.peak > 10_000_000
    assert model.closed
