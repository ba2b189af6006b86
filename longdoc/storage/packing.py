"""Columns of integers as compact bytes: for what a large document has a million of."""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise

_ROWS = struct.Struct("<Q")
_BYTES = 4
_LEVEL = 1
"""Of zlib: the numbers are small differences, so its quickest is nearly its best."""


def pack_columns(*columns: Iterable[int]) -> bytes:
    """Columns of one length as bytes, the same on every machine; numbers and their differences are below 2**31."""
    parts = [_little_endian(array("i", _differences(column))) for column in columns]
    rows = len(parts[0]) if parts else 0
    packer = zlib.compressobj(_LEVEL)
    return b"".join([packer.compress(_ROWS.pack(rows)), *map(packer.compress, parts), packer.flush()])


def unpack_columns(data: bytes, *, count: int) -> list[array[int]]:
    """The columns again; `count` says how many."""
    raw = memoryview(zlib.decompress(data))
    (rows,) = _ROWS.unpack_from(raw)
    size = rows * _BYTES
    return [_sums(raw[_ROWS.size + i * size :][:size]) for i in range(count)]


def _differences(column: Iterable[int]) -> Iterator[int]:
    return (after - before for before, after in pairwise(chain((0,), column)))


def _sums(part: memoryview) -> array[int]:
    differences = array("i")
    differences.frombytes(part)
    return array("i", accumulate(_little_endian(differences)))


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
