"""Zip archives whose bytes depend on their content alone.

Owns dates, order and compression; what is in them is the formats' own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PERMISSIONS = 0o644 << 16


def zip_bytes(members: Mapping[str, str], *, stored: str = "") -> bytes:
    """The archive of texts by name, in their order; the one named `stored` is not compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = _PERMISSIONS
            info.create_system = 3
            info.compress_type = zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, content.encode())
    return buffer.getvalue()
