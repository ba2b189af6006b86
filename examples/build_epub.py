"""Build an EPUB 3 of the example novella from its Markdown source.

The script understands just the Markdown that ``novella.md`` uses: a front matter block,
level-one headings, paragraphs, ``*emphasis*`` and footnotes. It needs only the standard
library, and the same source always gives the same bytes.

Usage::

    python examples/build_epub.py [--out PATH]
"""

import argparse
import html
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "novella.md"
DEFAULT_OUT = HERE / "novella.epub"

MODIFIED = "2025-01-01T00:00:00Z"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
MIMETYPE = "application/epub+zip"
XHTML = "application/xhtml+xml"

LICENCE_NAMES = {"Apache-2.0": "Apache License, Version 2.0"}
LICENCE_URLS = {"Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0"}

FRONT_MATTER = re.compile(r"\A---\n(?P<fields>.*?)\n---\n", re.DOTALL)
HEADING = re.compile(r"^# (?P<title>.+)$", re.MULTILINE)
NOTE = re.compile(r"^\[\^(?P<id>[\w-]+)\]: (?P<text>.+)$", re.DOTALL)
NOTE_REF = re.compile(r"\[\^([\w-]+)\]")
EMPHASIS = re.compile(r"\*([^*]+)\*")

CONTAINER = """\
<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles>
    <rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>
  </rootfiles>
</container>
"""

STYLE = """\
body { font-family: serif; line-height: 1.4; margin: 5%; }
h1 { font-size: 1.4em; margin: 2em 0 1.5em; text-align: center; }
p { margin: 0; text-indent: 1.3em; }
h1 + p, aside p, section.title-page p, section.imprint p { text-indent: 0; }
section.title-page { margin-top: 25%; text-align: center; }
section.imprint p { margin-bottom: 1em; }
aside { border-top: 1px solid; font-size: 0.85em; margin-top: 2em; padding-top: 0.5em; }
a.noteref { font-size: 0.75em; text-decoration: none; vertical-align: super; }
"""


@dataclass(frozen=True)
class Note:
    """One footnote: its label in the source, and its text."""

    label: str
    text: str


@dataclass(frozen=True)
class Chapter:
    """One chapter: its heading, its paragraphs and its footnotes, still in Markdown."""

    number: int
    title: str
    paragraphs: tuple[str, ...]
    notes: tuple[Note, ...]

    @property
    def name(self) -> str:
        """The chapter's file name inside the book."""
        return f"chapter-{self.number:02d}.xhtml"


@dataclass(frozen=True)
class Book:
    """The whole book: what the front matter says, and the chapters in order."""

    title: str
    author: str
    language: str
    rights: str
    identifier: str
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True)
class Page:
    """One page of the reading order: manifest id, file name, label and content."""

    id: str
    name: str
    label: str
    content: str


def parse_front_matter(source: str) -> tuple[dict[str, str], str]:
    """Split the source into its front matter fields and the text after them."""
    match = FRONT_MATTER.match(source)
    if match is None:
        raise ValueError("the source does not start with a front matter block")
    fields: dict[str, str] = {}
    for line in match["fields"].splitlines():
        key, _, value = line.partition(":")
        value = value.strip()
        fields[key.strip()] = str(json.loads(value)) if value.startswith('"') else value
    return fields, source[match.end() :]


def parse_chapter(number: int, title: str, text: str) -> Chapter:
    """Split one chapter's text into paragraphs and footnotes."""
    paragraphs: list[str] = []
    notes: list[Note] = []
    for block in re.split(r"\n{2,}", text.strip()):
        note = NOTE.match(block)
        if note is None:
            paragraphs.append(block)
        else:
            notes.append(Note(note["id"], note["text"]))
    return Chapter(number, title.strip(), tuple(paragraphs), tuple(notes))


def parse_book(source: str) -> Book:
    """Read the whole Markdown source."""
    fields, text = parse_front_matter(source)
    _before, *rest = HEADING.split(text)
    chapters = tuple(
        parse_chapter(number, title, body)
        for number, (title, body) in enumerate(zip(rest[::2], rest[1::2], strict=True), start=1)
    )
    return Book(
        title=fields["title"],
        author=fields["author"],
        language=fields["language"],
        rights=fields["rights"],
        identifier=fields["identifier"],
        chapters=chapters,
    )


def escape(text: str) -> str:
    """Escape a text for use in XML content or in a double-quoted attribute."""
    return html.escape(text, quote=True)


def render_inline(text: str) -> str:
    """Turn the inline Markdown of a paragraph into XHTML."""
    joined = " ".join(text.splitlines())
    marked = EMPHASIS.sub(r"<em>\1</em>", html.escape(joined, quote=False))
    return NOTE_REF.sub(
        r'<a class="noteref" epub:type="noteref" role="doc-noteref" id="ref-\1" href="#fn-\1">\1</a>',
        marked,
    )


def render_note(note: Note) -> str:
    """Turn a footnote into an ``aside`` which links back to its reference."""
    label = escape(note.label)
    return (
        f'<aside epub:type="footnote" role="doc-footnote" id="fn-{label}">'
        f'<p><a href="#ref-{label}">{label}</a>. {render_inline(note.text)}</p></aside>'
    )


def render_document(title: str, language: str, body: str) -> str:
    """Wrap a page's body in a complete XHTML document."""
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" \
lang="{escape(language)}" xml:lang="{escape(language)}">
<head>
<title>{escape(title)}</title>
<link rel="stylesheet" type="text/css" href="style.css"/>
</head>
<body>
{body}
</body>
</html>
"""


def render_title_page(book: Book) -> Page:
    """Make the title page."""
    body = f"""\
<section class="title-page" epub:type="titlepage">
<h1>{escape(book.title)}</h1>
<p>{escape(book.author)}</p>
</section>"""
    return Page("title-page", "title.xhtml", "Title Page", render_document(book.title, book.language, body))


def render_chapter(book: Book, chapter: Chapter) -> Page:
    """Make the page of one chapter, with its footnotes at the end."""
    lines = [
        '<section epub:type="chapter" role="doc-chapter">',
        f"<h1>{render_inline(chapter.title)}</h1>",
        *(f"<p>{render_inline(paragraph)}</p>" for paragraph in chapter.paragraphs),
        *(render_note(note) for note in chapter.notes),
        "</section>",
    ]
    content = render_document(chapter.title, book.language, "\n".join(lines))
    return Page(f"chapter-{chapter.number:02d}", chapter.name, chapter.title, content)


def render_imprint(book: Book) -> Page:
    """Make the imprint page, which names the licence."""
    name = escape(LICENCE_NAMES.get(book.rights, book.rights))
    url = LICENCE_URLS.get(book.rights)
    licence = name if url is None else f'<a href="{escape(url)}">{name}</a>'
    body = f"""\
<section class="imprint" epub:type="imprint">
<h1>Imprint</h1>
<p><em>{escape(book.title)}</em>, by {escape(book.author)}.</p>
<p>This text is licensed under the {licence}.</p>
<p>It is a work of fiction. Its people, places and events are invented.</p>
<p>{escape(book.identifier)}</p>
</section>"""
    content = render_document("Imprint", book.language, body)
    return Page("imprint", "imprint.xhtml", "Imprint", content)


def render_pages(book: Book) -> list[Page]:
    """Make all the pages, in reading order."""
    chapters = [render_chapter(book, chapter) for chapter in book.chapters]
    return [render_title_page(book), *chapters, render_imprint(book)]


def render_nav(book: Book, pages: list[Page]) -> str:
    """Make the EPUB 3 navigation document: the contents and the landmarks."""
    items = "\n".join(f'<li><a href="{page.name}">{escape(page.label)}</a></li>' for page in pages)
    body = f"""\
<nav epub:type="toc" role="doc-toc" id="toc">
<h1>Contents</h1>
<ol>
{items}
</ol>
</nav>
<nav epub:type="landmarks" id="landmarks" hidden="hidden">
<h2>Landmarks</h2>
<ol>
<li><a epub:type="titlepage" href="{pages[0].name}">Title Page</a></li>
<li><a epub:type="bodymatter" href="{pages[1].name}">Start of Content</a></li>
<li><a epub:type="imprint" href="{pages[-1].name}">Imprint</a></li>
</ol>
</nav>"""
    return render_document("Contents", book.language, body)


def render_ncx(book: Book, pages: list[Page]) -> str:
    """Make the EPUB 2 table of contents, for older readers."""
    points = "\n".join(
        f'<navPoint id="point-{order}" playOrder="{order}">'
        f"<navLabel><text>{escape(page.label)}</text></navLabel>"
        f'<content src="{page.name}"/></navPoint>'
        for order, page in enumerate(pages, start=1)
    )
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1" \
xml:lang="{escape(book.language)}">
<head>
<meta name="dtb:uid" content="{escape(book.identifier)}"/>
<meta name="dtb:depth" content="1"/>
<meta name="dtb:totalPageCount" content="0"/>
<meta name="dtb:maxPageNumber" content="0"/>
</head>
<docTitle><text>{escape(book.title)}</text></docTitle>
<navMap>
{points}
</navMap>
</ncx>
"""


def render_opf(book: Book, pages: list[Page]) -> str:
    """Make the package document: metadata, manifest and reading order."""
    manifest = "\n".join(f'<item id="{page.id}" href="{page.name}" media-type="{XHTML}"/>' for page in pages)
    spine = "\n".join(f'<itemref idref="{page.id}"/>' for page in pages)
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book-id" \
xml:lang="{escape(book.language)}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book-id">{escape(book.identifier)}</dc:identifier>
<dc:title>{escape(book.title)}</dc:title>
<dc:creator id="creator">{escape(book.author)}</dc:creator>
<meta refines="#creator" property="role" scheme="marc:relators">aut</meta>
<dc:language>{escape(book.language)}</dc:language>
<dc:rights>{escape(book.rights)}</dc:rights>
<meta property="dcterms:modified">{MODIFIED}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="{XHTML}" properties="nav"/>
<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="style" href="style.css" media-type="text/css"/>
{manifest}
</manifest>
<spine toc="ncx">
{spine}
</spine>
</package>
"""


def build_files(book: Book) -> dict[str, str]:
    """Make every file of the container except ``mimetype``, by its path."""
    pages = render_pages(book)
    files = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/content.opf": render_opf(book, pages),
        "OEBPS/nav.xhtml": render_nav(book, pages),
        "OEBPS/style.css": STYLE,
        "OEBPS/toc.ncx": render_ncx(book, pages),
    }
    return files | {f"OEBPS/{page.name}": page.content for page in pages}


def write_entry(archive: zipfile.ZipFile, name: str, content: str, compression: int) -> None:
    """Add one file to the archive, with a fixed time and fixed permissions."""
    info = zipfile.ZipInfo(name, ZIP_TIME)
    info.compress_type = compression
    info.create_system = 3
    info.external_attr = 0o644 << 16
    archive.writestr(info, content.encode("utf-8"))


def write_epub(book: Book, out: Path) -> None:
    """Write the book: ``mimetype`` first and stored, then the rest sorted by path."""
    with zipfile.ZipFile(out, "w") as archive:
        write_entry(archive, "mimetype", MIMETYPE, zipfile.ZIP_STORED)
        for name, content in sorted(build_files(book).items()):
            write_entry(archive, name, content, zipfile.ZIP_DEFLATED)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and build the book."""
    parser = argparse.ArgumentParser(description="Build the EPUB of the example novella.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="PATH", help="the EPUB")
    options = parser.parse_args(arguments)
    write_epub(parse_book(SOURCE.read_text(encoding="utf-8")), options.out)
    print(options.out)


if __name__ == "__main__":
    main()
