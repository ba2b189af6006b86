"""From Markdown to prose. Raw HTML is text like any other.

Owns what each token becomes; parsing is markdown-it's, and where marks of notes may stand is `note_marks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.tree import SyntaxTreeNode

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
    marks_in,
    without_marks,
)

_MARK = re.compile("{\ufdd0([0-9]+)}")
"""A note mark in Markdown: braces, which are punctuation and mean nothing, around what `clean_text` takes away."""
_WHITE = re.compile(r"[\t\n\r\f\v]+")
_ADDRESS = re.compile(r"(?:https?://[\w.-]+(?::\d+)?(?:[/?#][!-;=?-Z_a-z~]*)?|mailto:[!-;=?-Z_a-z~]+)", re.ASCII)
_LANGUAGE = re.compile(r"[\w+#.-]+")
_STYLES = {"em": Style.EMPHASIS, "strong": Style.STRONG, "s": Style.STRUCK}
_THIN_SPACE = Text("\u2009")


def mark_text(number: int) -> str:
    """The mark of a note as it is put into Markdown."""
    return f"{{\ufdd0{number}}}"


def markdown_parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough and note marks, without HTML."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "note_mark", _read_mark)
    return parser


def parse_prose(text: str, parser: MarkdownIt) -> Blocks:
    """The prose that clean Markdown stands for; the highest heading in it has depth 1."""
    root = SyntaxTreeNode(parser.parse(text))
    levels = [_heading_level(node) for node in root.walk() if node.type == "heading"]
    return _blocks(root.children, min(levels, default=1) - 1)


def spaced_marks(content: Inlines) -> Inlines:
    """The content with a thin space between marks side by side, which would read as one number."""
    parts: list[Inline] = []
    for part in content:
        if parts and isinstance(part, NoteMark) and isinstance(parts[-1], NoteMark):
            parts.append(_THIN_SPACE)
        parts.append(part)
    return tuple(parts)


def _read_mark(state: StateInline, silent: bool) -> bool:
    match = _MARK.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("note_mark", "", 0).meta = {"number": int(match[1])}
    state.pos = match.end()
    return True


def _heading_level(node: SyntaxTreeNode) -> int:
    return int(node.tag[1:])


def _blocks(nodes: Sequence[SyntaxTreeNode], above: int) -> Blocks:
    """Blocks; `above` is taken off the levels of headings."""
    return tuple(block for node in nodes if (block := _block(node, above)) is not None)


def _block(node: SyntaxTreeNode, above: int) -> Block | None:
    made: Block | None
    match node.type:
        case "paragraph":
            made = Paragraph(_inlines_of(node))
        case "heading":
            content = _inlines_of(node)
            made = Heading(_heading_level(node) - above, content) if content else None
        case "fence" | "code_block":
            language = _LANGUAGE.match(node.info)
            made = CodeBlock(node.content.rstrip("\n"), language[0] if language else "")
        case "blockquote":
            made = Quote(_blocks(node.children, above))
        case "bullet_list" | "ordered_list":
            start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
            made = ItemList(tuple(_blocks(item.children, above) for item in node.children), start)
        case "table":
            made = _table(node)
        case "hr":
            made = Rule()
        case _:
            made = None
    return made


def _table(node: SyntaxTreeNode) -> Table:
    rows = [row for part in node.children for row in part.children]
    alignments = tuple(str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in rows[0].children)
    return Table(tuple(tuple(_inlines_of(cell) for cell in row.children) for row in rows), alignments)


def _inlines_of(node: SyntaxTreeNode) -> Inlines:
    """The content of a paragraph, heading or cell, without spaces at the ends of its lines."""
    parts = [part for inline in node.children for part in _inlines(inline.children)]
    trimmed: list[Inline] = []
    for index, part in enumerate(parts):
        begins = not trimmed or isinstance(trimmed[-1], LineBreak)
        ends = index == len(parts) - 1 or isinstance(parts[index + 1], LineBreak)
        trimmed_part = _trimmed(part, begins=begins, ends=ends)
        if trimmed_part != Text(""):
            trimmed.append(trimmed_part)
    while trimmed and isinstance(trimmed[-1], LineBreak):
        trimmed.pop()
    return tuple(trimmed)


def _trimmed(part: Inline, *, begins: bool, ends: bool) -> Inline:
    """A part without spaces where it begins or ends a line."""
    if not isinstance(part, Text):
        return part
    text = part.text.lstrip(" ") if begins else part.text
    return Text(text.rstrip(" ") if ends else text)


def _inlines(nodes: Sequence[SyntaxTreeNode]) -> Inlines:
    return spaced_marks(_joined(part for node in nodes for part in _inline(node)))


def _joined(parts: Iterator[Inline]) -> Inlines:
    """The parts with neighbouring texts as one."""
    joined: list[Inline] = []
    for part in parts:
        if isinstance(part, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].text + part.text)
        elif part != Text(""):
            joined.append(part)
    return tuple(joined)


def _inline(node: SyntaxTreeNode) -> Iterator[Inline]:
    match node.type:
        case "softbreak":
            yield Text(" ")
        case "hardbreak":
            yield LineBreak()
        case "note_mark":
            yield NoteMark(int(node.meta["number"]))
        case "code_inline":
            yield CodeText(_MARK.sub("", node.content))
            yield from (NoteMark(int(number)) for number in _MARK.findall(node.content))
        case "em" | "strong" | "s":
            yield Styled(_STYLES[node.type], _inlines(node.children))
        case "link":
            yield from _link(str(node.attrs.get("href", "")), _inlines(node.children))
        case "image":
            yield from _inlines(node.children)
        case _:
            yield Text(_WHITE.sub(" ", node.content))


def _link(address: str, content: Inlines) -> Iterator[Inline]:
    """A link, with marks after it; its text alone where the address leads nowhere from a file of its own."""
    bare = without_marks(content)
    if not bare or not _ADDRESS.fullmatch(address):
        yield from content
        return
    yield Link(address, bare)
    yield from (NoteMark(number) for number in marks_in(content))
