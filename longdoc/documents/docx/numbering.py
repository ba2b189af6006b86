"""Numbers and bullets of a DOCX as they are printed.

Owns counting through lists: levels, restarts, overrides, and the formats of numbers. Which paragraph is in which
list is `docx/styles.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from longdoc.documents.markup.xml import Element, attribute, local_name
from longdoc.documents.ordinals import format_number

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_BULLET = "•"


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level counts; `restart_after` is the number of the level that restarts it, 0 for none."""

    start: int = 1
    number_format: str = "decimal"
    text: str = ""
    legal: bool = False
    restart_after: int | None = None
    style: str = ""


@dataclass(slots=True)
class _Abstract:
    levels: dict[int, _Level]
    style_link: str = ""
    counts: list[int | None] = field(default_factory=lambda: [None] * _LEVELS)


@dataclass(frozen=True, slots=True)
class _List:
    """A list in use: whose counts it shares, its levels, and where it begins anew."""

    abstract: str
    levels: dict[int, _Level]
    starts: dict[int, int]


class Numbering:
    """Counts through the lists of one document, in its order."""

    def __init__(self, root: Element | None, lists_of_styles: dict[str, str]) -> None:
        children = [] if root is None else list(root)
        self._abstracts = {
            attribute(child, "abstractNumId"): _abstract(child)
            for child in children
            if local_name(child) == "abstractnum"
        }
        numbers = [child for child in children if local_name(child) == "num"]
        abstract_of = {attribute(number, "numId"): _child_value(number, "abstractnumid") for number in numbers}
        self._lists = {
            attribute(number, "numId"): self._list(number, abstract_of, lists_of_styles) for number in numbers
        }
        self._begun: set[tuple[str, int]] = set()

    def level_of_style(self, list_id: str, style: str) -> int:
        """The level of a list that a paragraph style stands for, the first where none does."""
        found = self._lists.get(list_id)
        levels = found.levels if found else {}
        return next((index for index, level in levels.items() if level.style == style), 0)

    def label(self, list_id: str, level: int) -> str:
        """Count one more item of a list and return its number or bullet, empty where it has none."""
        found = self._lists.get(list_id)
        if found is None or not 0 <= level < _LEVELS:
            return ""
        self._count(list_id, found, level)
        own = found.levels.get(level, _Level())
        if own.number_format == "bullet":
            return _bullet(own.text)
        if own.number_format == "none":
            return ""
        counts = self._abstracts[found.abstract].counts

        def shown(match: re.Match[str]) -> str:
            index = int(match[1]) - 1
            referred = found.levels.get(index, _Level())
            count = counts[index]
            number_format = "decimal" if own.legal else referred.number_format
            return format_number(referred.start if count is None else count, number_format)

        return _PLACE.sub(shown, own.text).strip()

    def _count(self, list_id: str, found: _List, level: int) -> None:
        counts = self._abstracts[found.abstract].counts
        if level in found.starts and (list_id, level) not in self._begun:
            counts[level] = None
        self._begun.add((list_id, level))
        count = counts[level]
        start = found.starts.get(level, found.levels.get(level, _Level()).start)
        counts[level] = start if count is None else count + 1
        for deeper in range(level + 1, _LEVELS):
            restart = found.levels.get(deeper, _Level()).restart_after
            if restart is None or (restart and level < restart):
                counts[deeper] = None

    def _list(self, number: Element, abstract_of: dict[str, str], lists_of_styles: dict[str, str]) -> _List:
        name = abstract_of[attribute(number, "numId")]
        abstract = self._abstracts.setdefault(name, _Abstract({}))
        if abstract.style_link and not abstract.levels:
            name = abstract_of.get(lists_of_styles.get(abstract.style_link, ""), name)
            abstract = self._abstracts.setdefault(name, _Abstract({}))
        levels = dict(abstract.levels)
        starts: dict[int, int] = {}
        for override in number:
            if local_name(override) == "lvloverride":
                _apply_override(override, levels, starts)
        return _List(name, levels, starts)


def _apply_override(override: Element, levels: dict[int, _Level], starts: dict[int, int]) -> None:
    index = _number(attribute(override, "ilvl"), 0)
    for child in override:
        name = local_name(child)
        if name == "startoverride":
            starts[index] = _number(attribute(child, "val"), 1)
        elif name == "lvl":
            levels[index] = _level(child)
            starts.setdefault(index, levels[index].start)


def _abstract(element: Element) -> _Abstract:
    levels = {_number(attribute(child, "ilvl"), 0): _level(child) for child in element if local_name(child) == "lvl"}
    return _Abstract(levels, _child_value(element, "numstylelink"))


def _level(element: Element) -> _Level:
    level = _Level()
    for child in element:
        value = attribute(child, "val")
        match local_name(child):
            case "start":
                level = replace(level, start=_number(value, 1))
            case "numfmt":
                level = replace(level, number_format=value)
            case "lvltext":
                level = replace(level, text=value)
            case "islgl":
                level = replace(level, legal=value not in {"0", "false", "off"})
            case "lvlrestart":
                level = replace(level, restart_after=_number(value, 0))
            case "pstyle":
                level = replace(level, style=value)
            case _:
                pass
    return level


def _child_value(element: Element, name: str) -> str:
    return next((attribute(child, "val") for child in element if local_name(child) == name), "")


def _number(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default


def _bullet(text: str) -> str:
    """A bullet, if there is one; those of symbol fonts, which stand in the private area, become a plain one."""
    text = text.strip()
    private = any("\ue000" <= character <= "\uf8ff" for character in text)
    return _BULLET if private or text in {"o", "§", "·"} else text
