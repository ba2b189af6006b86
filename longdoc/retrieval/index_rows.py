"""What an index is made from: windows, parts and their embeddings, stored for each document and made where missing.

Owns where a document is cut and what that is stored under; the files derived from it are `index_files.py`'s.
"""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from longdoc.documents.document import Document
from longdoc.documents.segments import Segment
from longdoc.documents.tokens import EstimatedTokens
from longdoc.documents.windows import (
    OVERLAP_TOKENS,
    PART_TOKENS,
    WINDOW_TOKENS,
    WINDOWS_VERSION,
    split_windows,
    window_document,
)
from longdoc.engines.embedder import Embedder
from longdoc.storage.documents import Documents
from longdoc.storage.embeddings import EmbeddingKey, Embeddings

if TYPE_CHECKING:
    from longdoc.retrieval.vector_index import Vectors

_COUNTER = EstimatedTokens()
"""The same for every engine: an index does not depend on who answers from it."""

WINDOWS_KEY: Final = f"windows:{WINDOWS_VERSION}:{WINDOW_TOKENS}:{OVERLAP_TOKENS}:{_COUNTER.identity}"
PARTS_KEY: Final = f"{WINDOWS_KEY}:parts:{PART_TOKENS}"

_PARTS_PER_BATCH = 256
"""Embedded and stored together: a few seconds of work, which is what a kill may cost."""
_LAYOUTS_KEPT = 256
_CHARACTERS_PER_TOKEN = 4
_CHARACTERS_PER_WINDOW = _CHARACTERS_PER_TOKEN * (WINDOW_TOKENS - OVERLAP_TOKENS)
_CHARACTERS_PER_PART = _CHARACTERS_PER_TOKEN * 0.75 * PART_TOKENS


@dataclass(frozen=True, slots=True)
class Layout:
    """How a document is cut: its windows, the parts of them that are embedded, and the window that each part is of."""

    windows: tuple[Segment, ...]
    parts: tuple[Segment, ...]
    owners: array[int]


class IndexRows:
    """The rows of documents, found or made. `at_hand` are documents that need not be loaded.

    For use on one loop.
    """

    def __init__(self, documents: Documents, embeddings: Embeddings, *, at_hand: Iterable[Document] = ()) -> None:
        self._documents = documents
        self._embeddings = embeddings
        self._at_hand = {document.id: document for document in at_hand}
        self._layouts: OrderedDict[str, Layout] = OrderedDict()
        self._part_keys: OrderedDict[str, array[int]] = OrderedDict()
        self._digests: dict[str, bytes] = {}

    async def text(self, document_id: str) -> str:
        """The text of a stored document. Raises `NotFoundError`."""
        document = self._at_hand.get(document_id)
        return await self._documents.load_text(document_id) if document is None else document.text

    async def layout(self, document_id: str) -> Layout:
        """How a stored document is cut. Raises `NotFoundError`."""
        layout = self._layouts.get(document_id) or await self._layout(document_id)
        self._layouts[document_id] = layout
        self._layouts.move_to_end(document_id)
        if len(self._layouts) > _LAYOUTS_KEPT:
            self._layouts.popitem(last=False)
        return layout

    async def part_keys(self, document_id: str) -> array[int]:
        """For each part of a stored document a number that equal texts share in this process."""
        keys = self._part_keys.get(document_id)
        if keys is None:
            text, layout = await self.text(document_id), await self.layout(document_id)
            keys = array("q", (hash(text[part.start : part.end].strip()) for part in layout.parts))
        self._part_keys[document_id] = keys
        self._part_keys.move_to_end(document_id)
        if len(self._part_keys) > _LAYOUTS_KEPT:
            self._part_keys.popitem(last=False)
        return keys

    async def layout_digests(self, document_ids: Sequence[str]) -> Mapping[str, bytes]:
        """By document, what is equal where it is cut the same; those that are not cut yet are left out."""
        unknown = [one for one in document_ids if one not in self._digests]
        windows = await self._documents.segmentation_digests(unknown, WINDOWS_KEY)
        parts = await self._documents.segmentation_digests(unknown, PARTS_KEY)
        self._digests |= {one: windows[one] + parts[one] for one in windows.keys() & parts.keys()}
        return {one: self._digests[one] for one in document_ids if one in self._digests}

    async def estimates(self, document_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """How many windows and parts documents have, about, told from their lengths alone."""
        lengths = await self._documents.lengths(document_ids)
        return {
            one: (math.ceil(length / _CHARACTERS_PER_WINDOW), math.ceil(length / _CHARACTERS_PER_PART))
            for one, length in lengths.items()
        }

    async def embed(self, document_id: str, embedder: Embedder, *, progress: Callable[[int], None]) -> None:
        """Embed the parts of a document of which no embeddings are stored; each batch is stored as it is made.

        Where another process embeds the same document, one goes on from the other end, so that few batches are made
        twice. `progress` is told how many parts more are there. Raises what the embedder raises.
        """
        layout, key = await self.layout(document_id), _key(document_id, embedder)
        left, text, end = dict(_batches(layout.parts)), "", min
        while left := await self._not_embedded(left, key, progress):
            number = end(left)
            parts = left.pop(number)
            text = text or await self.text(document_id)
            vectors = await embedder.embed([text[part.start : part.end] for part in parts])
            if not await self._embeddings.save(key, number, vectors):
                end = min if end is max else max
            progress(len(parts))

    async def embeddings(self, document_id: str, embedder: Embedder) -> AsyncIterator[Vectors]:
        """The stored embeddings of the parts of a document, batch by batch, in order. Raises `NotFoundError`."""
        key = _key(document_id, embedder)
        for number, _ in _batches((await self.layout(document_id)).parts):
            yield await self._embeddings.load(key, number)

    async def vectors(
        self, document_id: str, embedder: Embedder, parts: range, *, loaded: dict[int, Vectors]
    ) -> Vectors:
        """The stored embeddings of parts in a row, by their numbers; `loaded` keeps batches for the next call.

        Raises `NotFoundError`.
        """
        import numpy as np

        key, first = _key(document_id, embedder), parts.start // _PARTS_PER_BATCH
        batches = range(first, (parts.stop - 1) // _PARTS_PER_BATCH + 1)
        for number in batches:
            if number not in loaded:
                loaded[number] = await self._embeddings.load(key, number)
        skipped = first * _PARTS_PER_BATCH
        every = np.concatenate([loaded[number] for number in batches])
        return every[parts.start - skipped : parts.stop - skipped]

    async def _not_embedded(
        self, batches: Mapping[int, tuple[Segment, ...]], key: EmbeddingKey, progress: Callable[[int], None]
    ) -> dict[int, tuple[Segment, ...]]:
        """Those of some batches that are not stored, by whomever; `progress` is told of the others."""
        stored = await self._embeddings.counts(key) if batches else {}
        left = {number: parts for number, parts in batches.items() if stored.get(number) != len(parts)}
        for number in batches.keys() - left.keys():
            progress(len(batches[number]))
        return left

    async def _layout(self, document_id: str) -> Layout:
        windows = await self._documents.segmentation(document_id, WINDOWS_KEY)
        parts = await self._documents.segmentation(document_id, PARTS_KEY)
        if windows is None or parts is None:
            document = self._at_hand.get(document_id) or await self._documents.load(document_id)
            if windows is None:
                windows = await window_document(document, _COUNTER)
                await self._documents.save_segmentation(document_id, WINDOWS_KEY, windows)
            parts = await split_windows(document, windows, _COUNTER)
            await self._documents.save_segmentation(document_id, PARTS_KEY, parts)
        return Layout(windows, parts, _owners(windows, parts))


def _key(document_id: str, embedder: Embedder) -> EmbeddingKey:
    return EmbeddingKey(document_id, embedder.info.identity, PARTS_KEY)


def _batches(parts: tuple[Segment, ...]) -> Iterable[tuple[int, tuple[Segment, ...]]]:
    starts = range(0, len(parts), _PARTS_PER_BATCH)
    return zip(count(), (parts[start : start + _PARTS_PER_BATCH] for start in starts), strict=False)


def _owners(windows: tuple[Segment, ...], parts: tuple[Segment, ...]) -> array[int]:
    """For each part the last window that begins no later."""
    owners = array("I")
    window = 0
    for part in parts:
        while window + 1 < len(windows) and windows[window + 1].start <= part.start:
            window += 1
        owners.append(window)
    return owners
