"""Prose as Markdown that reads back as the same prose (CommonMark with tables and footnotes).

Owns the notation and its escapes; the file around it is `markdown.py`.
"""

from __future__ import annotations

import re
import textwrap

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
_SPECIAL = re.compile(r"[\\`*\[\]<~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|!(?=\[|$)")
_AT_LINE_START = re.compile(r"(\s*)([#+\-=>|:]|\d{1,9}(?=[.)]))")
_HASHES_AT_END = re.compile(r"(#+)$")
_BACKTICKS = re.compile("`+")
_DELIMITERS = {Style.EMPHASIS: 1, Style.STRONG: 2}
_RULES = {"left": ":---", "center": ":---:", "right": "---:"}


def markdown_heading(level: int, content: Inlines) -> str:
    """A heading of any level; Markdown has six."""
    title = _HASHES_AT_END.sub(r"\\\1", _line(content))
    return f"{'#' * min(level, _DEEPEST)} {title}"


def markdown_blocks(blocks: Blocks, *, level: int, joint: str = "\n\n") -> str:
    """Blocks below a heading of a level, with a joint between them."""
    pieces: list[str] = []
    marker_is_other = False
    for index, block in enumerate(blocks):
        previous = blocks[index - 1] if index else None
        marker_is_other = _would_join(previous, block) and not marker_is_other
        pieces.append(_list(block, level, marker_is_other) if isinstance(block, ItemList) else _block(block, level))
    return joint.join(piece for piece in pieces if piece)


def markdown_inlines(content: Inlines) -> str:
    """The inside of a line; line breaks are kept."""
    done = ""
    for index, part in enumerate(content):
        done += _inline(part, before=done[-1:], after=plain_text(content[index + 1 : index + 2])[:1])
    return done


def _would_join(previous: Block | None, block: Block) -> bool:
    """Whether two lists would be read as one."""
    if not isinstance(previous, ItemList) or not isinstance(block, ItemList):
        return False
    return (previous.start is None) == (block.start is None)


def _block(block: Block, level: int) -> str:
    match block:
        case Paragraph():
            made = _escape_line_starts(markdown_inlines(block.content))
        case Heading():
            made = markdown_heading(level + block.depth, block.content)
        case CodeBlock():
            fence = "`" * max(3, _longest_backticks(block.text) + 1)
            made = f"{fence}{block.language}\n{block.text}\n{fence}"
        case Quote():
            lines = markdown_blocks(block.blocks, level=level).split("\n")
            made = "\n".join(f"> {line}" if line else ">" for line in lines)
        case Table():
            made = _table(block)
        case ItemList():
            made = _list(block, level, other_marker=False)
        case Rule():
            made = "___"
    return made


def _list(block: ItemList, level: int, other_marker: bool) -> str:
    joint = "\n" if all(_is_tight(item) for item in block.items) else "\n\n"
    items: list[str] = []
    for index, item in enumerate(block.items):
        if block.start is None:
            marker = "*" if other_marker else "-"
        else:
            marker = f"{block.start + index}{')' if other_marker else '.'}"
        items.append(_item(marker, markdown_blocks(item, level=level, joint=joint)))
    return joint.join(items)


def _is_tight(item: Blocks) -> bool:
    """Whether an item needs no blank lines: nothing in it, one paragraph, or lists under it that may follow at once."""
    return all(
        isinstance(block, ItemList) and block.start in {None, 1} and bool(block.items[0])
        if index
        else isinstance(block, Paragraph)
        for index, block in enumerate(item)
    )


def _item(marker: str, text: str) -> str:
    indent = " " * (len(marker) + 1)
    return marker + textwrap.indent(text, indent, bool)[len(marker) :] if text else marker


def _table(table: Table) -> str:
    head, *body = (f"| {' | '.join(_cell(cell) for cell in row)} |" for row in table.rows)
    rule = f"| {' | '.join(_RULES.get(alignment, '---') for alignment in table.alignments)} |"
    return "\n".join([head, rule, *body])


def _cell(content: Inlines) -> str:
    return _line(content).replace("|", "\\|")


def _line(content: Inlines) -> str:
    """Content on one line."""
    return markdown_inlines(tuple(Text(" ") if isinstance(part, LineBreak) else part for part in content)).strip()


def _inline(part: Inline, *, before: str, after: str) -> str:
    match part:
        case Text():
            return _SPECIAL.sub(lambda match: f"\\{match[0]}", part.text)
        case CodeText():
            return _code(part.text)
        case LineBreak():
            return "\\\n"
        case NoteMark():
            return f"[^{part.number}]"
        case Link():
            return _link(part)
        case Styled():
            return _styled(part, before=before, after=after)


def _link(link: Link) -> str:
    if link.content == (Text(link.address),):
        return f"<{link.address}>"
    address = f"<{link.address}>" if "(" in link.address or ")" in link.address else link.address
    return f"[{markdown_inlines(link.content)}]({address})"


def _styled(styled: Styled, *, before: str, after: str) -> str:
    """The content between delimiters; alone where these would not be read as such between the characters around."""
    inside = markdown_inlines(styled.content)
    opens_badly = before.isalnum() and not inside[:1].isalnum()
    closes_badly = after.isalnum() and not inside[-1:].isalnum()
    if inside != inside.strip() or not inside or opens_badly or closes_badly:
        return inside
    if styled.style is Style.STRUCK:
        return f"~~{inside}~~"
    delimiter = "*"
    if before == "*" or "*" in inside:
        is_in_word = before.isalnum() or after.isalnum()
        delimiter = "_" if not is_in_word else "" if before == "*" else "*"
    delimiter *= _DELIMITERS[styled.style]
    return f"{delimiter}{inside}{delimiter}"


def _code(text: str) -> str:
    fence = "`" * (_longest_backticks(text) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " ") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _longest_backticks(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _escape_line_starts(text: str) -> str:
    return "\n".join(_escape_line_start(line.strip(" ")) for line in text.split("\n"))


def _escape_line_start(line: str) -> str:
    match = _AT_LINE_START.match(line)
    if match is None:
        return line
    sign, rest = match[2], line[match.end() :]
    return f"{match[1]}{sign}\\{rest}" if sign.isdigit() else f"{match[1]}\\{sign}{rest}"
