"""Every file of the shared data: it reads or says in one line why not, and its segments join back to its text."""

import asyncio
from pathlib import Path

import pytest

from longdoc.documents.document import Document
from longdoc.documents.readers import read_document
from longdoc.documents.segments import segment_document
from longdoc.documents.tokens import EstimatedTokens
from longdoc.errors import DocumentError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FOLDERS = ("books", "malformed-epub", "pdf", "office")
SUFFIXES = {".epub", ".txt", ".html", ".pdf", ".docx", ".odt"}
FILES = sorted(path for folder in FOLDERS for path in (DATA / folder).rglob("*") if path.suffix in SUFFIXES)

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared data folder ../shared/data is not here")


def read(path: Path) -> Document | DocumentError:
    try:
        return read_document(path)
    except DocumentError as error:
        return error


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DATA)))
def test_it_reads_or_says_why_and_its_segments_tile_it(path: Path) -> None:
    document = read(path)
    if isinstance(document, DocumentError):
        assert len(str(document).splitlines()) == 1
        return
    segments = asyncio.run(segment_document(document, EstimatedTokens(), limit=512))
    assert "".join(document.text[s.start : s.end] for s in segments) == document.text
    assert all(s.tokens <= 512 for s in segments)
