"""Blocks of prose as paragraphs and tables of a DOCX.

Owns styles by kind of block, indents, and which list each paragraph counts in. Inside of paragraphs is `docx_lines.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from longdoc.documents.writers.docx_lines import LineWriter
from longdoc.documents.writers.languages import Direction
from longdoc.documents.writers.prose import (
    Block,
    Blocks,
    CodeBlock,
    Heading,
    Inlines,
    ItemList,
    Paragraph,
    Quote,
    Rule,
    Table,
)

_STEP = 360
_DEEPEST_HEADING = 9
_DEEPEST_LIST = 8
_TEXT_WIDTH = 9070
_BULLETS = 1
_AFTER_BLOCK = '<w:p><w:pPr><w:pStyle w:val="AfterBlock"/></w:pPr></w:p>'
"""What keeps tables and blocks of code apart that follow on each other."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block stands: how far in (twentieths of a point), how deep in lists, in a quotation or not."""

    level: int
    indent: int = 0
    depth: int = 0
    is_quoted: bool = False

    @property
    def properties(self) -> str:
        return f'<w:ind w:left="{self.indent}"/>' if self.indent else ""

    def item(self, list_id: int) -> str:
        """Properties of the first paragraph of an item."""
        level = min(self.depth - 1, _DEEPEST_LIST)
        numbering = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
        return f'{numbering}<w:ind w:left="{self.indent}" w:hanging="{_STEP}"/>'


class BlockWriter:
    """Writes blocks. `list_starts` are the level and first number of every numbered list so far, in order.

    All bullets are list 1 of the document; numbered lists follow from 2.
    """

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines
        self.list_starts: list[tuple[int, int]] = []

    def blocks(self, blocks: Blocks, *, level: int) -> str:
        """Blocks below a heading of a level."""
        return "".join(self._blocks(blocks, _Place(level)))

    def _blocks(self, blocks: Blocks, place: _Place) -> Iterator[str]:
        for block in blocks:
            yield from self._block(block, place)

    def _block(self, block: Block, place: _Place) -> Iterator[str]:
        match block:
            case Paragraph():
                yield self._lines.paragraph(block.content, style=_style(place), place=place.properties)
            case Heading():
                level = min(place.level + block.depth, _DEEPEST_HEADING)
                yield self._lines.paragraph(block.content, style=f"Heading{level}", place=place.properties)
            case CodeBlock():
                for line in block.text.split("\n"):
                    yield self._lines.code_line(line, place=place.properties)
                yield _AFTER_BLOCK
            case Quote():
                yield from self._blocks(block.blocks, replace(place, indent=place.indent + _STEP, is_quoted=True))
            case ItemList():
                yield from self._list(block, place)
            case Table():
                yield self._table(block, place)
            case Rule():
                yield self._lines.paragraph((), style="Rule")

    def _list(self, block: ItemList, outside: _Place) -> Iterator[str]:
        place = replace(outside, indent=outside.indent + _STEP, depth=outside.depth + 1)
        list_id = _BULLETS
        if block.start is not None:
            self.list_starts.append((min(place.depth - 1, _DEEPEST_LIST), block.start))
            list_id = _BULLETS + len(self.list_starts)
        for item in block.items:
            first, rest = (item[0], item[1:]) if item and isinstance(item[0], Paragraph) else (Paragraph(()), item)
            yield self._lines.paragraph(first.content, style="ListParagraph", place=place.item(list_id))
            yield from self._blocks(rest, place)

    def _table(self, table: Table, place: _Place) -> str:
        columns = len(table.alignments)
        grid = f'<w:gridCol w:w="{_TEXT_WIDTH // columns}"/>' * columns
        rows = "".join(self._row(row, table.alignments, is_head=not index) for index, row in enumerate(table.rows))
        indent = f'<w:tblInd w:w="{place.indent}" w:type="dxa"/>' if place.indent else ""
        turned = "<w:bidiVisual/>" if self._lines.direction is Direction.RTL else ""
        properties = f'<w:tblStyle w:val="TableGrid"/>{turned}<w:tblW w:w="0" w:type="auto"/>{indent}'
        return f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>{_AFTER_BLOCK}"

    def _row(self, row: tuple[Inlines, ...], alignments: tuple[str, ...], *, is_head: bool) -> str:
        head = "<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>" if is_head else "<w:trPr><w:cantSplit/></w:trPr>"
        style = "TableHead" if is_head else "TableText"
        cells = (
            self._cell(cell, f"{style}{alignment.title()}") for cell, alignment in zip(row, alignments, strict=True)
        )
        return f"<w:tr>{head}{''.join(cells)}</w:tr>"

    def _cell(self, content: Inlines, style: str) -> str:
        paragraph = self._lines.paragraph(content, style=style)
        return f'<w:tc><w:tcPr><w:tcW w:w="0" w:type="auto"/></w:tcPr>{paragraph}</w:tc>'


def _style(place: _Place) -> str:
    return "Quote" if place.is_quoted else "ListParagraph" if place.depth else ""
