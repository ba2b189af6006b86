"""The tokens of atoms: counted in batches, and atoms cut further where one alone is too large."""

from __future__ import annotations

import asyncio
from array import array

from longdoc.documents.atoms import Atoms, split_span
from longdoc.documents.tokens import TokenCounter

_BATCH = 2048


async def count_atoms(text: str, atoms: Atoms, counter: TokenCounter, *, limit: int) -> tuple[Atoms, array[int]]:
    """Atoms of at most `limit` tokens, and the tokens of each.

    Those that pass it (scripts with several tokens a character) are cut, down to single characters.
    """
    counts = await _count(text, atoms, counter)
    size = limit
    while size > 1 and max(counts, default=0) > limit:
        size //= 2
        atoms = _cut_smaller(text, atoms, counts, limit, size)
        counts = await _count(text, atoms, counter)
    return atoms, counts


async def _count(text: str, atoms: Atoms, counter: TokenCounter) -> array[int]:
    counts = array("I")
    for first in range(0, len(atoms), _BATCH):
        last = min(first + _BATCH, len(atoms))
        batch = [text[atoms.starts[i] : atoms.end(i)] for i in range(first, last)]
        counts.extend(await counter.count_tokens(batch))
        await asyncio.sleep(0)  # an estimate waits for nothing, and a long text would hold up all else
    return counts


def _cut_smaller(text: str, atoms: Atoms, counts: array[int], limit: int, size: int) -> Atoms:
    starts, cuts = array("Q"), array("B")
    for index in range(len(atoms)):
        start, end = atoms.starts[index], atoms.end(index)
        pieces = split_span(text, start, end, size) if counts[index] > limit else [(start, None)]
        for offset, inner in pieces:
            starts.append(offset)
            cuts.append(atoms.cuts[index] if inner is None else inner)
    return Atoms(starts, cuts, atoms.length)
