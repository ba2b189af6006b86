"""Reading what was named on the command line: a file, or standard input, by our readers or by one of LlamaIndex."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from longdoc.cli.sources import STANDARD_INPUT, expand_sources
from longdoc.documents.document import Document
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_bytes, read_document


def read_sources(named: Sequence[str], *, reader: str | None = None) -> list[Document]:
    """The documents that were named, as `expand_sources` and `read_source` tell. Raises what they raise."""
    return [read_source(one, reader=reader) for one in expand_sources(named, reader=reader)]


def read_source(source: str, *, reader: str | None = None) -> Document:
    """The document in a file, or the one on standard input; with a `reader` of LlamaIndex ("module:Class") whatever
    that makes of the name. Raises `DocumentError`, and `ConfigError` for a reader that is none."""
    if reader is not None:
        from longdoc.integrations.extras import require

        require("llama_index", extra="llama-index")
        from longdoc.integrations.llama_index.readers import read_with

        return read_with(reader, source)
    if source != STANDARD_INPUT:
        return read_document(Path(source))
    return read_bytes(sys.stdin.buffer.read(Limits().file_bytes + 1), name="standard input")
