"""Prose as XHTML, in the form that is HTML as well.

Owns elements and escapes; what a page has around them is `html.py` and `epub.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from longdoc.documents.writers.contents import ContentsEntry
from longdoc.documents.writers.languages import Direction, direction_of_text
from longdoc.documents.writers.prose import (
    Block,
    Blocks,
    CodeBlock,
    CodeText,
    Heading,
    Inline,
    Inlines,
    ItemList,
    LineBreak,
    Link,
    NoteMark,
    Paragraph,
    Quote,
    Rule,
    Style,
    Styled,
    Table,
    Text,
    plain_text,
)

_DEEPEST = 6
_STYLES = {Style.EMPHASIS: "em", Style.STRONG: "strong", Style.STRUCK: "s"}


@dataclass(frozen=True, slots=True)
class XhtmlWriter:
    """Writes prose for pages whose lines run in `direction`.

    `call` are the attributes of a link that calls a note, which has the id "note" with its number, and leads back to
    "ref" with its number.
    """

    direction: Direction
    call: str

    def heading(self, level: int, content: Inlines, *, anchor: str = "") -> str:
        """A heading of any level; XHTML has six."""
        name = f"h{min(level, _DEEPEST)}"
        identified = f' id="{anchor}"' if anchor else ""
        return f"<{name}{identified}{self.turned(content)}>{self.inlines(content)}</{name}>"

    def blocks(self, blocks: Blocks, *, level: int) -> str:
        """Blocks below a heading of a level, a line each."""
        return "\n".join(self._block(block, level) for block in blocks)

    def inlines(self, content: Inlines) -> str:
        """The inside of a paragraph."""
        return "".join(self._inline(part) for part in content)

    def contents(self, entries: tuple[ContentsEntry, ...]) -> str:
        """A contents list as nested lists of links."""
        return f"<ol>\n{''.join(self._contents_item(entry) for entry in entries)}</ol>"

    def turned(self, content: Inlines) -> str:
        """The attribute that turns the direction of lines, where this text needs it."""
        direction = direction_of_text(plain_text(content), self.direction)
        return "" if direction is self.direction else f' dir="{direction}"'

    def _contents_item(self, entry: ContentsEntry) -> str:
        below = f"\n{self.contents(entry.children)}\n" if entry.children else ""
        title = (Text(entry.title),)
        return f'<li><a href="{entry.address}"{self.turned(title)}>{self.inlines(title)}</a>{below}</li>\n'

    def _block(self, block: Block, level: int) -> str:
        match block:
            case Paragraph():
                made = f"<p{self.turned(block.content)}>{self.inlines(block.content)}</p>"
            case Heading():
                made = self.heading(level + block.depth, block.content)
            case CodeBlock():
                language = f' class="language-{escape(block.language)}"' if block.language else ""
                made = f'<pre dir="ltr"><code{language}>{escape(block.text)}</code></pre>'
            case Quote():
                made = f"<blockquote>\n{self.blocks(block.blocks, level=level)}\n</blockquote>"
            case ItemList():
                made = self._list(block, level)
            case Table():
                made = self._table(block)
            case Rule():
                made = "<hr/>"
        return made

    def _list(self, block: ItemList, level: int) -> str:
        name = "ul" if block.start is None else "ol"
        start = f' start="{block.start}"' if block.start not in {None, 1} else ""
        items = "\n".join(self._item(item, level) for item in block.items)
        return f"<{name}{start}>\n{items}\n</{name}>"

    def _item(self, item: Blocks, level: int) -> str:
        """An item; a single paragraph in it needs no element of its own."""
        first, *rest = item or (Paragraph(()),)
        if not isinstance(first, Paragraph) or any(isinstance(block, Paragraph) for block in rest):
            return f"<li>{self.blocks(item, level=level)}</li>"
        below = f"\n{self.blocks(tuple(rest), level=level)}\n" if rest else ""
        return f"<li{self.turned(first.content)}>{self.inlines(first.content)}{below}</li>"

    def _table(self, table: Table) -> str:
        head, *body = (
            self._row(row, table.alignments, "td" if number else "th") for number, row in enumerate(table.rows)
        )
        rows = "\n".join(body)
        return f'<div class="table"><table>\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'

    def _row(self, row: tuple[Inlines, ...], alignments: tuple[str, ...], name: str) -> str:
        cells = (
            f"<{name}{self.turned(cell)}{_alignment(alignment)}>{self.inlines(cell)}</{name}>"
            for cell, alignment in zip(row, alignments, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    def _inline(self, part: Inline) -> str:
        match part:
            case Text():
                return escape(part.text, quote=False)
            case CodeText():
                return f'<code dir="ltr">{escape(part.text, quote=False)}</code>'
            case LineBreak():
                return "<br/>"
            case NoteMark():
                return f'<a href="#note{part.number}" id="ref{part.number}" {self.call}>{part.number}</a>'
            case Styled():
                name = _STYLES[part.style]
                return f"<{name}>{self.inlines(part.content)}</{name}>"
            case Link():
                return f'<a href="{escape(part.address)}">{self.inlines(part.content)}</a>'


def _alignment(alignment: str) -> str:
    return f' class="{alignment}"' if alignment else ""
