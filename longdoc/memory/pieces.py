"""Cutting a memory into the pieces that are embedded: a vector is a mean of all it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from longdoc.documents.atoms import sentence_spans

MOST_PIECES: Final = 255
_PIECE_CHARACTERS = 400


def pieces(text: str, *, characters: int = _PIECE_CHARACTERS) -> list[str]:
    """The text in at most 255 pieces of whole sentences, each of about so many characters; longer sentences are cut.

    At least one piece, which may be blank.
    """
    size = max(characters, -(-2 * len(text) // MOST_PIECES))
    found: list[str] = []
    for start, end in _spans(text, size):
        if found and len(found[-1]) + end - start <= size:
            found[-1] += text[start:end]
        else:
            found.append(text[start:end])
    return found or [text]


def _spans(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Sentences that tile the text, those longer than `size` in even parts."""
    starts = [start for start, _ in sentence_spans(text)][1:]
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        parts = max(1, -(-(end - start) // size))
        for part in range(parts):
            yield start + (end - start) * part // parts, start + (end - start) * (part + 1) // parts
