"""Manuscripts made for the tests, and the words that every format must give back."""

import datetime
from dataclasses import dataclass

from hypothesis import strategies as st

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.manuscript import Manuscript, ManuscriptSection, Note
from longdoc.documents.readers import read_bytes
from longdoc.documents.writers.docx import manuscript_docx
from longdoc.documents.writers.epub import manuscript_epub
from longdoc.documents.writers.html import manuscript_html
from longdoc.documents.writers.markdown import manuscript_markdown

WRITERS = {
    "markdown": lambda manuscript: manuscript_markdown(manuscript).encode(),
    "html": lambda manuscript: manuscript_html(manuscript).encode(),
    "docx": manuscript_docx,
    "epub": manuscript_epub,
}
_BULLETS = frozenset("•–▪")
"""What our reader of DOCX sets before the items of a list."""
LAMP = """The keeper climbed the **long** stair and lit the lamp. It was *very* late.

> What the sea wants, the sea will have.
>
> - and it waits

Three things were needed:

1. oil
2. a wick
   - cotton
   - or wool
3. patience

A table of nights, a link to <https://example.org/tides?a=1&b=2> and `code & more`:

| night | wind | height |
|:------|:----:|-------:|
| first | west | 3 m |
| second | *north* | 11 m |

### Below the section

```python
def light(lamp):
    return lamp < 3 & True
```

~~Nothing~~ more, then\\
a new line.

---

The end of it."""
OIL = "Oil came from whales. Later it came from the ground.\n\nПотом пришло электричество, и φῶς."
KEEPER = Note("the keeper climbed", "The Lamp", "chapter 3, page 12")
WHALES = Note("oil & <whales>", "A History of Light", "")


def rich_manuscript() -> Manuscript:
    """A work with parts, every kind of block, notes and a bibliography."""
    lamp_notes = ((LAMP.index(" It was"), KEEPER), (LAMP.index("\n\nThree"), WHALES))
    return Manuscript(
        title="Light & Sea",
        sections=(
            ManuscriptSection("Part One", 1, ""),
            ManuscriptSection("The Lamp", 2, LAMP, lamp_notes),
            ManuscriptSection("Oil", 2, OIL, ((OIL.index(" Later"), WHALES),)),
            ManuscriptSection("Part Two", 1, "A short part."),
        ),
        author="Ada Example",
        identifier="urn:uuid:7a4e29a8-4a77-4b0e-8d5c-0f6a0c0e1f11",
        bibliography=("Anon., The Lamp, 1901.", "B. Example, A History of Light <2nd ed.>, 1955."),
        date=datetime.date(2026, 3, 4),
    )


def of_text(text: str, *, notes: tuple[tuple[int, Note], ...] = (), **settings: str) -> Manuscript:
    """A manuscript of one section."""
    return Manuscript("The Work", (ManuscriptSection("The Section", 1, text, notes),), **settings)


def read_back(manuscript: Manuscript, kind: str) -> Document:
    """What our own reader makes of the file."""
    document = read_bytes(WRITERS[kind](manuscript), name="work.md" if kind == "markdown" else "work")
    assert document.format == kind
    return document


def body_words(document: Document, *, title: str) -> list[str]:
    """Words of headings and text in order, without title, contents list, bibliography and notes."""
    left_out = [s for s in document.walk_sections() if s.role not in {SectionRole.BODY, SectionRole.FRONT}]
    texts = [
        document.text[block.start : block.end]
        for block in document.blocks
        if block.kind is not BlockKind.NOTE and not any(s.start <= block.start < s.end for s in left_out)
    ]
    if texts and texts[0] == title:
        texts = texts[1:]
    return [word for word in " ".join(texts).split() if word not in _BULLETS]


@dataclass(frozen=True)
class Piece:
    """A block of Markdown and the words it stands for."""

    markdown: str
    words: tuple[str, ...]


_ALPHABETS = (
    "abcdefgh",
    "zürñéßæ",
    "жизньдом",
    "λόγοςφως",
    "שלוםעולם",
    "سلامكتاب",
    "光海塔灯油",
    "やまかわうみ",
    "한국어바다",
)
_SIGNS = st.sampled_from(
    ["", "", "", ".", ",", "*", "_", "~", "`", "[", "]", "<", ">", "&", "&amp;", "|", "#", "\\", "!", "$", "{", "}"]
)
_words = st.builds(
    lambda word, sign: word + sign,
    st.sampled_from(_ALPHABETS).flatmap(lambda alphabet: st.text(alphabet, min_size=1, max_size=6)),
    _SIGNS,
)
_lines = st.lists(_words, min_size=1, max_size=6).map(tuple)


def _escaped(words: tuple[str, ...]) -> str:
    """The words as Markdown that means just them, every sign escaped."""
    text = " ".join(words)
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#&|~!$.," else character for character in text)


_paragraphs = st.one_of(
    _lines.map(lambda words: Piece(_escaped(words), words)),
    st.tuples(_lines, _lines).map(
        lambda pair: Piece(f"{_escaped(pair[0])} **bold** {_escaped(pair[1])}", (*pair[0], "bold", *pair[1]))
    ),
    st.tuples(_lines, _lines).map(
        lambda pair: Piece(f"{_escaped(pair[0])} *soft*\n{_escaped(pair[1])}", (*pair[0], "soft", *pair[1]))
    ),
    _lines.map(lambda words: Piece(f"[{_escaped(words)}](https://example.org/a_(b))", words)),
)
_headings = _lines.map(lambda words: Piece(f"## {_escaped(words)}", words))
_code = st.lists(st.text("ab`<&*_] \\", min_size=1, max_size=8), min_size=1, max_size=3).map(
    lambda lines: Piece("~~~\n" + "\n".join(lines) + "\n~~~", tuple(" ".join(lines).split()))
)
_bullets = st.lists(_lines, min_size=1, max_size=3).map(
    lambda items: Piece("\n".join(f"- {_escaped(item)}" for item in items), tuple(w for item in items for w in item))
)
_tables = st.lists(st.tuples(_lines, _lines), min_size=1, max_size=3).map(
    lambda rows: Piece(
        "\n".join(
            f"| {_escaped(a)} | {_escaped(b)} |" + ("\n|---|---|" if not number else "")
            for number, (a, b) in enumerate(rows)
        ),
        tuple(word for row in rows for cell in row for word in cell),
    )
)
_plain_pieces = st.one_of(_paragraphs, _headings, _code, _bullets, _tables)
_quotes = st.lists(_plain_pieces, min_size=1, max_size=2).map(
    lambda pieces: Piece(
        "\n".join(f"> {line}" for line in "\n\n".join(p.markdown for p in pieces).split("\n")),
        tuple(word for piece in pieces for word in piece.words),
    )
)
pieces = st.lists(st.one_of(_plain_pieces, _quotes), max_size=5).map(
    lambda parts: Piece("\n\n".join(p.markdown for p in parts), tuple(word for piece in parts for word in piece.words))
)
"""Texts of sections in several scripts, with the words that they stand for."""
titles = _lines
