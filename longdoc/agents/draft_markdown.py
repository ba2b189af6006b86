"""The plan of a draft as Markdown that people edit, and back.

A section is a heading that ends with its number and words in brackets, "[#3, 400 words]", with its main point below;
one without a number is new. Headings without brackets are the title, parts and chapters. Where a section stands is told
by the order of the file, so that sections are moved by moving their lines and dropped by deleting them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from longdoc.agents.draft_request import MOST_WORDS
from longdoc.errors import ConfigError
from longdoc.storage.draft_types import DraftPlan, PlannedSection

GUIDE: Final = """\
<!-- The plan. Change headings, main points and words; move sections by moving their lines, delete them by deleting
     their lines; a new one needs its words: ## A new section [400 words]. Headings without [… words] are parts.
     "Sources: …; …" is what to look up, "Comment: …" what to heed, [#3, 400 words, locked] is not written again. -->"""

_HEADING = re.compile(r"(?P<marks>#{1,6})\s+(?P<title>.*?)\s*(?:\[(?P<facts>[^\]\[]*)\])?(?:\s+#+)?\s*$")
_FACT = re.compile(r"\s*(?:#(?P<id>\d{1,9})|(?P<words>\d[\d,. ]*)\s*words?|(?P<locked>locked))\s*$", re.IGNORECASE)
_FIELD = re.compile(r"(?P<name>sources|comment)\s*:\s*(?P<value>.*)$", re.IGNORECASE)
_MEANT = re.compile(r"words|#\d|locked", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NUMBER = re.compile(r"^\d{1,4}\.\s+")
_DEEPEST = 6
_UNNAMED = "Text"
"""What stands for the heading of a text that has none."""
_UNTITLED = "Untitled"
_JOINER = "\u2060"
"""Begins a line that would else be taken for another kind of line; it is not seen."""


def plan_markdown(plan: DraftPlan) -> str:
    """The plan as people edit it."""
    lines = [f"# {_one_line(plan.title) or _UNTITLED}", "", GUIDE, ""]
    path: tuple[str, ...] = ()
    for number, section in enumerate(plan.sections, 1):
        shared = _shared(path, section.path)
        for depth in range(shared, len(section.path)):
            lines += [f"{_marks(depth + 2)} {_one_line(section.path[depth])}", ""]
        path = section.path
        facts = f"#{section.id}, {section.words:,} words{', locked' if section.locked else ''}"
        heading = _one_line(section.heading) or _UNNAMED
        lines += [f"{_marks(len(path) + 2)} {number}. {heading} [{facts}]", "", _point(section.main_point)]
        if section.sources:
            lines.append(f"Sources: {'; '.join(map(_one_line, section.sources))}")
        if section.comment:
            lines.append(f"Comment: {_one_line(section.comment)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def read_plan(text: str, before: DraftPlan, *, next_id: int) -> DraftPlan:
    """The plan that a person made of another one; new sections get numbers from `next_id` on.

    What a section holds stays with its number; where there was no section before, numbers mean nothing. Raises
    `ConfigError` with the line that cannot be understood.
    """
    reader = _Reader({section.id: section for section in before.sections}, next_id)
    blanked = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(blanked.splitlines(), 1):
        reader.read(number, line)
    return reader.plan()


@dataclass(slots=True)
class _Draft:
    """A section as it is being read, or (without words) a part."""

    line: int
    level: int
    heading: str
    words: int = 0
    id: int | None = None
    locked: bool = False
    point: list[str] = field(default_factory=list[str])
    sources: tuple[str, ...] = ()
    comment: str = ""


class _Reader:
    """Takes lines in order."""

    def __init__(self, known: dict[int, PlannedSection], next_id: int) -> None:
        self._known = known
        self._next_id = next_id
        self._title: str | None = None
        self._drafts: list[_Draft] = []

    def read(self, number: int, line: str) -> None:
        match = _HEADING.match(line)
        if match is not None:
            self._head(number, match)
        elif line.strip():
            self._body(number, line.strip())

    def plan(self) -> DraftPlan:
        sections = tuple(self._sections())
        if not sections:
            raise ConfigError(
                "the plan has no section; a section is a heading with its words: ## Beginning [400 words]"
            )
        plan = DraftPlan(self._title or "", sections)
        if plan.words > MOST_WORDS:
            raise ConfigError(f"the plan has {plan.words:,} words; the most is {MOST_WORDS:,}")
        return plan

    def _head(self, number: int, match: re.Match[str]) -> None:
        level, title = len(match["marks"]), match["title"].strip()
        found = _Draft(number, level, title)
        facts = match["facts"]
        read = [] if facts is None else [_FACT.match(fact) for fact in re.split(r",(?!\d{3}\b)", facts)]
        if not read or not all(read):
            if facts and _MEANT.search(facts):
                raise ConfigError(f"line {number}: [{facts}] is not understood; write [#3, 400 words, locked]")
            found.heading = title if facts is None else f"{title} [{facts}]"
            if level == 1 and self._title is None and not self._drafts:
                self._title = "" if title == _UNTITLED else found.heading
                return
        else:
            self._section(found, [fact for fact in read if fact is not None])
        self._drafts.append(found)

    def _section(self, found: _Draft, facts: list[re.Match[str]]) -> None:
        for fact in facts:
            if fact["id"]:
                found.id = int(fact["id"]) if self._known else None
            elif fact["words"]:
                found.words = int(re.sub(r"\D", "", fact["words"]))
            else:
                found.locked = True
        found.heading = _NUMBER.sub("", found.heading)
        if not 0 < found.words <= MOST_WORDS:
            raise ConfigError(f"line {found.line}: {found.heading!r} needs its words, 1 to {MOST_WORDS:,}: [400 words]")
        if found.id is not None and found.id not in self._known:
            raise ConfigError(
                f"line {found.line}: there is no section #{found.id}; leave the number out of a new one: [400 words]"
            )
        if found.id is not None and any(one.id == found.id for one in self._drafts):
            raise ConfigError(
                f"line {found.line}: section #{found.id} is there twice; leave the number out of the copy"
            )

    def _body(self, number: int, line: str) -> None:
        if not self._drafts or not self._drafts[-1].words:
            above = "before the first section" if not self._drafts else f"below the part {self._drafts[-1].heading!r}"
            raise ConfigError(
                f"line {number}: text stands {above}; a section is a heading with its words: ## Beginning [400 words]"
            )
        section, match = self._drafts[-1], _FIELD.match(line)
        if match is None:
            section.point.append(line.removeprefix(_JOINER).replace(f"<{_JOINER}!--", "<!--"))
        elif match["name"].lower() == "sources":
            section.sources = tuple(filter(None, (one.strip() for one in match["value"].split(";"))))
        else:
            section.comment = match["value"].strip()

    def _sections(self) -> Iterator[PlannedSection]:
        above: list[_Draft] = []
        for draft in self._drafts:
            above = [one for one in above if one.level < draft.level]
            if not draft.words:
                above.append(draft)
                continue
            yield self._one(draft, tuple(one.heading for one in above))

    def _one(self, draft: _Draft, path: tuple[str, ...]) -> PlannedSection:
        known = self._known.get(draft.id or 0)
        if known is None:
            known = PlannedSection(self._next_id, "", "", 0)
            self._next_id += 1
        unnamed = draft.id is not None and not known.heading and draft.heading == _UNNAMED
        return replace(
            known,
            heading="" if unnamed else draft.heading,
            main_point=" ".join(draft.point),
            words=draft.words,
            path=path,
            sources=draft.sources,
            comment=draft.comment,
            locked=draft.locked,
        )


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _marks(level: int) -> str:
    return "#" * min(level, _DEEPEST)


def _point(text: str) -> str:
    """A main point in one line that is taken for nothing else."""
    line = _one_line(text).replace("<!--", f"<{_JOINER}!--")
    return f"{_JOINER}{line}" if line.startswith("#") or _FIELD.match(line) else line


def _one_line(text: str) -> str:
    return " ".join(text.split())
