"""Reading what was named on the command line: a file, or standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from longdoc.cli.sources import STANDARD_INPUT
from longdoc.documents.document import Document
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_bytes, read_document


def read_source(source: str) -> Document:
    """The document in a file, or the one on standard input. Raises `DocumentError`."""
    if source != STANDARD_INPUT:
        return read_document(Path(source))
    return read_bytes(sys.stdin.buffer.read(Limits().file_bytes + 1), name="standard input")
