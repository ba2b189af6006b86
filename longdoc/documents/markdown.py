"""The reader of Markdown (CommonMark with tables, footnotes and front matter).

Owns turning its tokens into blocks without markup; parsing is markdown-it's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, Metadata, SectionRole
from longdoc.documents.encoding import decode
from longdoc.documents.limits import Limits
from longdoc.documents.markup.xhtml import write_page
from longdoc.documents.markup.xml import parse_html
from longdoc.documents.normal import normal_line, normal_text
from longdoc.documents.outline import OutlineEntry
from longdoc.documents.roles import role_of_title
from longdoc.errors import MalformedDocumentError

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z][\w-]*)[ \t]*:[ \t]*(.*(?:\n[ \t]*-[ \t].*|\n[ \t]+\S.*)*)", re.MULTILINE)
_ATTRIBUTES = re.compile(r"\s*\{[#.:][^{}]*\}\s*$")
_HTML_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_KINDS = {
    "list_item_open": BlockKind.LIST_ITEM,
    "blockquote_open": BlockKind.QUOTE,
    "footnote_open": BlockKind.NOTE,
}
_CLOSING = frozenset(name.replace("_open", "_close") for name in _KINDS)
_PIECE = 1 << 20
_FENCE = re.compile(r"[ ]{0,3}(```+|~~~+)")


def read_markdown(data: bytes, *, name: str, limits: Limits) -> Document:
    """Read Markdown from its bytes; `name` is for messages. Raises kinds of `DocumentError`."""
    del limits
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    builder = DocumentBuilder("markdown", name)
    matter = _FRONT_MATTER.match(text)
    if matter is not None:
        builder.metadata = _metadata(matter[1])
        text = text[matter.end() :]
    reader = _MarkdownReader(builder)
    for piece in _pieces(text):
        reader.read(piece)
    reader.finish()
    return builder.build()


def _pieces(text: str) -> Iterator[str]:
    """The text cut at headings into pieces of bounded size, since the parser needs many times its input."""
    if len(text) <= _PIECE * 4:
        yield text
        return
    piece: list[str] = []
    size = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        if size > _PIECE and not fence and line.startswith("#"):
            yield "".join(piece)
            piece, size = [], 0
        mark = _FENCE.match(line)
        if mark is not None:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1][:3]
        piece.append(line)
        size += len(line)
    yield "".join(piece)


def _metadata(matter: str) -> Metadata:
    fields = {match[1].lower(): _values(match[2]) for match in _FIELD.finditer(matter)}

    def first(*names: str) -> str:
        return next((fields[name][0] for name in names if fields.get(name)), "")

    return Metadata(
        title=first("title"),
        creators=tuple(fields.get("author") or fields.get("authors") or fields.get("creator") or ()),
        language=first("lang", "language"),
        identifier=first("identifier", "id", "isbn"),
        subjects=tuple(fields.get("subject") or fields.get("keywords") or fields.get("tags") or ()),
    )


def _values(text: str) -> list[str]:
    """The values of a field: a scalar, a list in brackets, or a list of lines that begin with "-"."""
    text = text.strip()
    if text.startswith("["):
        parts = text.strip("[]").split(",")
    elif text.startswith("-"):
        parts = [line.strip().removeprefix("-") for line in text.split("\n")]
    else:
        parts = [text]
    values = (normal_line(part).strip("\"'").strip() for part in parts)
    return [value for value in values if value]


@dataclass(slots=True)
class _Note:
    label: str
    anchor: int | None
    texts: list[str]


class _MarkdownReader:
    def __init__(self, builder: DocumentBuilder) -> None:
        self._parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(footnote_plugin)
        self._builder = builder
        self._entries: list[OutlineEntry] = []
        self._notes: list[_Note] = []
        self._anchors: dict[str, int] = {}
        self._kinds: list[BlockKind] = []
        self._note: _Note | None = None

    def read(self, text: str) -> None:
        self._anchors.clear()
        tokens = self._parser.parse(text)
        index = 0
        while index < len(tokens):
            index = self._take(tokens, index)

    def finish(self) -> None:
        self._builder.set_outline(self._entries)
        for note in self._notes:
            self._builder.add_note(note.label, "\n".join(note.texts), anchor=note.anchor)

    def _take(self, tokens: Sequence[Token], index: int) -> int:
        """Read the block that begins at a token; the index of the token after it."""
        token = tokens[index]
        if token.type == "heading_open":
            self._take_heading(token, tokens[index + 1])
            return index + 3
        if token.type == "table_open":
            return self._take_table(tokens, index)
        if token.type in _KINDS:
            self._open(token)
        elif token.type in _CLOSING:
            self._kinds.pop()
            self._note = None if token.type == "footnote_close" else self._note
        elif token.type == "inline":
            self._write(token)
        elif token.type in {"fence", "code_block"}:
            self._add(token.content, BlockKind.CODE)
        elif token.type == "html_block":
            self._take_html(token.content)
        return index + 1

    def _open(self, token: Token) -> None:
        self._kinds.append(_KINDS[token.type])
        if token.type == "footnote_open":
            label = str(token.meta.get("label") or token.meta.get("id", 0) + 1)
            self._note = _Note(label, self._anchors.get(label), [])
            self._notes.append(self._note)

    def _take_heading(self, token: Token, inline: Token) -> None:
        title = _ATTRIBUTES.sub("", normal_line(_plain(inline)))
        level = int(token.tag[1:])
        start = self._builder.add_block(title, BlockKind.HEADING, level=level)
        if start is not None:
            role = role_of_title(title) or SectionRole.BODY
            self._entries.append(OutlineEntry(title, level - 1, start, role))
            self._keep_calls(inline, start)

    def _take_table(self, tokens: Sequence[Token], index: int) -> int:
        rows: list[list[str]] = []
        while tokens[index].type != "table_close":
            token = tokens[index]
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(normal_line(_plain(token)))
                self._keep_calls(token, self._builder.position, exact=False)
            index += 1
        self._add("\n".join("\t".join(row) for row in rows), BlockKind.TABLE)
        return index + 1

    def _take_html(self, content: str) -> None:
        try:
            root = parse_html(content, source="")
        except MalformedDocumentError:
            return
        write_page(root, self._builder, href="")

    def _write(self, token: Token) -> None:
        start = self._add(_plain(token), self._kinds[-1] if self._kinds else BlockKind.PARAGRAPH)
        if start is not None and self._note is None:
            self._keep_calls(token, start)

    def _add(self, text: str, kind: BlockKind) -> int | None:
        if self._note is None:
            return self._builder.add_block(text, kind)
        self._note.texts.append(text)
        return None

    def _keep_calls(self, token: Token, start: int, *, exact: bool = True) -> None:
        """Remember where notes are called; within a table only the table is known."""
        before: list[str] = []
        for child in token.children or ():
            if child.type == "footnote_ref":
                label = str(child.meta.get("label") or child.meta.get("id", 0) + 1)
                offset = start + len(normal_text("".join(before))) if exact else start
                self._anchors.setdefault(label, offset)
            before.append(_plain_child(child))


def _plain(token: Token) -> str:
    return "".join(_plain_child(child) for child in token.children or ())


def _plain_child(child: Token) -> str:
    if child.type in {"text", "code_inline"}:
        return child.content
    if child.type == "softbreak":
        return " "
    if child.type == "hardbreak" or (child.type == "html_inline" and _HTML_BREAK.match(child.content)):
        return "\n"
    return ""
