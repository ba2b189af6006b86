"""What a document may cost to read: bounds that no honest book passes and every bomb does."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file; sizes in bytes.

    `total_bytes` and `member_bytes` are of an archive's members uncompressed; `compression_ratio` is of one
    member, and holds from one mebibyte upwards; `xml_depth` counts nested elements.
    """

    file_bytes: int = 512 * _MIB
    total_bytes: int = 512 * _MIB
    member_bytes: int = 128 * _MIB
    compression_ratio: int = 200
    members: int = 50_000
    xml_depth: int = 250
