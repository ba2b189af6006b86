"""What the styles of an ODT say: kinds of paragraphs, and how lists are numbered.

Owns inheritance between paragraph styles and the printing of numbers; counting through lists is `odt/lists.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longdoc.documents.document import BlockKind
from longdoc.documents.markup.xml import Element, attribute, local_name
from longdoc.documents.ordinals import format_number

_KINDS = (
    (BlockKind.CODE, re.compile(r"preformatted text|source( text| code)?|code.*")),
    (BlockKind.QUOTE, re.compile(r"quotations?|block ?quote")),
    (BlockKind.CAPTION, re.compile(r"caption|illustration|table|figure|drawing")),
)
_ESCAPED = re.compile(r"_([0-9a-f]{2})_")
_LONGEST_CHAIN = 30
_BULLET = "•"


@dataclass(frozen=True, slots=True)
class ListLevel:
    """How one level of a list is numbered; `shown` counts the levels printed together ("1.2")."""

    number_format: str = ""
    prefix: str = ""
    suffix: str = ""
    bullet: str = ""
    start: int = 1
    shown: int = 1


class OdtStyles:
    """The styles of one document by their names."""

    def __init__(self, roots: Sequence[Element | None]) -> None:
        self._parents: dict[str, str] = {}
        self._lists: dict[str, dict[int, ListLevel]] = {}
        for root in roots:
            for element in () if root is None else root.iterdescendants():
                self._add(element)

    def kind(self, style: str) -> BlockKind:
        """What a style says its paragraphs are."""
        for name in self._names(style):
            for kind, pattern in _KINDS:
                if pattern.fullmatch(name):
                    return kind
        return BlockKind.PARAGRAPH

    def is_title(self, style: str) -> bool:
        """Whether a style is that of the document's title."""
        return "title" in self._names(style)

    def list_label(self, style: str, counts: Sequence[int]) -> str:
        """The number or bullet of an item, from the counts of its level and those above it."""
        levels = self._lists.get(style, {})
        own = levels.get(len(counts))
        if own is None:
            return ""
        if own.bullet:
            return own.bullet
        if not own.number_format:
            return (own.prefix + own.suffix).strip()
        first = max(0, len(counts) - own.shown)
        formats = [levels.get(level + 1, own).number_format or "1" for level in range(len(counts))]
        numbers = [format_number(counts[level], formats[level]) for level in range(first, len(counts))]
        return (own.prefix + ".".join(numbers) + own.suffix).strip()

    def list_start(self, style: str, level: int) -> int:
        """The number of the first item of a level, counted from 1."""
        return self._lists.get(style, {}).get(level, ListLevel()).start

    def _names(self, style: str) -> list[str]:
        """The readable names of a style and those it is based on."""
        return [_readable(name) for name in self._chain(style)]

    def _chain(self, style: str) -> Iterator[str]:
        for _ in range(_LONGEST_CHAIN):
            if not style:
                return
            yield style
            style = self._parents.get(style, "")

    def _add(self, element: Element) -> None:
        name = local_name(element)
        if name == "style":
            self._parents.setdefault(attribute(element, "name"), attribute(element, "parent-style-name"))
        elif name == "list-style":
            levels = {_integer(attribute(child, "level"), 0): _list_level(child) for child in element}
            self._lists.setdefault(attribute(element, "name"), levels)


def _list_level(element: Element) -> ListLevel:
    if local_name(element) != "list-level-style-number":
        character = attribute(element, "bullet-char").strip()
        private = any("\ue000" <= letter <= "\uf8ff" for letter in character)
        return ListLevel(bullet=_BULLET if private or not character else character)
    return ListLevel(
        number_format=attribute(element, "num-format"),
        prefix=attribute(element, "num-prefix"),
        suffix=attribute(element, "num-suffix"),
        start=_integer(attribute(element, "start-value"), 1),
        shown=max(1, _integer(attribute(element, "display-levels"), 1)),
    )


def _readable(name: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name).lower()


def _integer(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default
