"""Paragraphs of a DOCX and what is in them.

Owns runs, their direction, links and calls of notes. Which paragraph is of what kind is `docx_blocks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Set
from html import escape

from longdoc.documents.writers.languages import Direction, direction_of_text
from longdoc.documents.writers.prose import (
    CodeText,
    Inline,
    Inlines,
    LineBreak,
    Link,
    NoteMark,
    Style,
    Styled,
    Text,
    plain_text,
)

_LETTER = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_RIGHT_TO_LEFT = re.compile(f"({_LETTER}(?:[^A-Za-z\u00c0-\u024f\u0370-\u058f]*{_LETTER})?)")
"""From one letter of a right-to-left script to the last before a letter of another direction."""
_PROPERTIES = {Style.STRONG: "<w:b/><w:bCs/>", Style.EMPHASIS: "<w:i/><w:iCs/>", Style.STRUCK: "<w:strike/>"}
_CODE = '<w:rStyle w:val="CodeText"/>'
_LINK = '<w:rStyle w:val="Hyperlink"/>'
_NOTE = '<w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr>'


class LineWriter:
    """Writes paragraphs of a manuscript whose lines run in `direction`.

    `addresses` are the links so far, which the package has to name.
    """

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.addresses: list[str] = []

    def paragraph(self, content: Inlines, *, style: str = "", place: str = "", bookmark: int | None = None) -> str:
        """A paragraph; `place` are its properties for lists and indents, `bookmark` makes it a target of contents."""
        runs = self.runs(content)
        if bookmark is not None:
            name = f'<w:bookmarkStart w:id="{bookmark}" w:name="{_bookmark(bookmark)}"/>'
            runs = f'{name}{runs}<w:bookmarkEnd w:id="{bookmark}"/>'
        return self._paragraph(plain_text(content), runs, style=style, place=place)

    def code_line(self, line: str, *, place: str) -> str:
        """A line of a block of code."""
        runs = _run("<w:tab/>".join(_text(part) for part in line.split("\t")), "")
        return f'<w:p><w:pPr><w:pStyle w:val="SourceCode"/>{place}</w:pPr>{runs if line else ""}</w:p>'

    def contents_line(self, title: str, level: int, bookmark: int, *, before: str, after: str) -> str:
        """A line of the contents list that leads to a heading; `before` and `after` are parts of its field."""
        link = f'<w:hyperlink w:anchor="{_bookmark(bookmark)}" w:history="1">{self.runs((Text(title),))}</w:hyperlink>'
        return self._paragraph(title, f"{before}{link}{after}", style=f"TOC{level}")

    def footnote(self, content: Inlines) -> str:
        """The paragraph of a footnote. A link in it would need relationships of its own, so that there are none."""
        mark = f"<w:r>{_NOTE}<w:footnoteRef/></w:r><w:r>{_text(' ')}</w:r>"
        return self._paragraph(plain_text(content), mark + self.runs(content), style="FootnoteText")

    def runs(self, content: Inlines, styles: Set[Style] = frozenset(), character_style: str = "") -> str:
        """The runs of some content, set off by styles."""
        return "".join(self._runs(part, styles, character_style) for part in content)

    def _paragraph(self, text: str, runs: str, *, style: str = "", place: str = "") -> str:
        direction = direction_of_text(text, self.direction)
        named = f'<w:pStyle w:val="{style}"/>' if style else ""
        numbering, _, indent = place.partition("<w:ind")
        turned = "<w:bidi/>" if direction is Direction.RTL else ""
        indent = f"<w:ind{indent}" if indent else ""
        return f"<w:p><w:pPr>{named}{numbering}{turned}{indent}</w:pPr>{runs}</w:p>"

    def _runs(self, part: Inline, styles: Set[Style], character_style: str) -> str:
        properties = character_style + "".join(value for style, value in _PROPERTIES.items() if style in styles)
        match part:
            case Text():
                return _directed_runs(part.text, properties)
            case CodeText():
                return _run(_text(part.text), _CODE + properties.removeprefix(_LINK))
            case LineBreak():
                return "<w:r><w:br/></w:r>"
            case NoteMark():
                return f'<w:r>{_NOTE}<w:footnoteReference w:id="{part.number}"/></w:r>'
            case Styled():
                return self.runs(part.content, styles | {part.style}, character_style)
            case Link():
                if part.address not in self.addresses:
                    self.addresses.append(part.address)
                number = self.addresses.index(part.address) + 1
                return f'<w:hyperlink r:id="link{number}">{self.runs(part.content, styles, _LINK)}</w:hyperlink>'


def _directed_runs(text: str, properties: str) -> str:
    """Runs in which all letters have one direction, which Word does not find out by itself."""
    parts = enumerate(_RIGHT_TO_LEFT.split(text))
    return "".join(_run(_text(part), properties + ("<w:rtl/>" if index % 2 else "")) for index, part in parts if part)


def _run(content: str, properties: str) -> str:
    return f"<w:r>{f'<w:rPr>{properties}</w:rPr>' if properties else ''}{content}</w:r>"


def _text(text: str) -> str:
    return f'<w:t xml:space="preserve">{escape(text, quote=False)}</w:t>'


def _bookmark(number: int) -> str:
    return f"_Toc{number:08d}"
