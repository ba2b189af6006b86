"""What a section is written from besides its own line: the plan around it, what was written, and its last words.

Each part has a fixed size, so that a prompt does not grow with the text and the cost of a draft is linear in its length
(the published scheme, where each section reads the whole text so far, grows with its square).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longdoc.agents.sentences import last_sentences
from longdoc.documents.tokens import estimate_tokens
from longdoc.prompts.catalogue import Quoted
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.terms import index_terms
from longdoc.storage.draft_types import DraftPlan, PlannedSection, SectionText

_NEIGHBOURS = 2
_PLACE_CHARACTERS, _POINT_CHARACTERS, _TITLE_CHARACTERS = 200, 200, 120
_USUAL_WINDOW = 8_192
_MOST_CHARACTERS_PER_TOKEN = 4
"""As tokens are estimated."""
_LONGEST_SENTENCE = 2
"""Times the size of the last words: where a sentence is longer it is shown from its middle on."""


@dataclass(frozen=True, slots=True)
class ContextSizes:
    """How many tokens each part of a prompt has at most, by estimate; the last words may have twice as many."""

    plan: int = 350
    memory: int = 350
    facts: int = 150
    tail: int = 350
    excerpts: int = 1_500

    @classmethod
    def of(cls, window: int) -> ContextSizes:
        """The sizes for a window of so many tokens: smaller for one under 8,192, never larger."""
        share = min(1.0, window / _USUAL_WINDOW)
        usual = cls()
        sizes = (usual.plan, usual.memory, usual.facts, usual.tail, usual.excerpts)
        return cls(*(int(size * share) for size in sizes))


@dataclass(frozen=True, slots=True)
class DraftContext:
    """What a section is written from, each part None where there is nothing of it."""

    instruction: Quoted
    style: Quoted | None = None
    plan: Quoted | None = None
    memory: Quoted | None = None
    facts: Quoted | None = None
    tail: Quoted | None = None
    excerpts: tuple[Excerpt, ...] = ()


def outline(plan: DraftPlan, number: int, tokens: int) -> Quoted:
    """The plan as the section with this number (from 0) sees it: its neighbours with their main points, of the others
    the headings, those that are farthest away left out where there is no room."""
    room = float(tokens)
    lines: dict[int, str] = {}
    for at in sorted(range(len(plan.sections)), key=lambda one: (abs(one - number), one)):
        line = _line(plan.sections[at], at, near=abs(at - number) <= _NEIGHBOURS)
        if lines and _tokens(line) > room:
            break
        lines[at] = line
        room -= _tokens(line)
    shown = [lines[at] for at in sorted(lines)]
    if min(lines) > 0:
        shown.insert(0, "…")
    if max(lines) < len(plan.sections) - 1:
        shown.append("…")
    text = "\n".join([plan.title[:_TITLE_CHARACTERS], *shown] if plan.title else shown)
    return Quoted(text, {"plan": len(plan.sections), "section": number + 1})


def _line(section: PlannedSection, at: int, *, near: bool) -> str:
    place = " > ".join((*section.path, section.heading))[-_PLACE_CHARACTERS:]
    point = section.main_point[:_POINT_CHARACTERS] if near else ""
    return f"{at + 1}. {place}{f': {point}' if point else ''}"


def told_before(texts: Sequence[SectionText], headings: Mapping[int, str], tokens: int) -> Quoted | None:
    """The summaries of sections, in the order of the text, as many of the first given as there is room for.

    `texts` come with the most useful first; `headings` by section, in the order of the text.
    """
    room = float(tokens)
    taken: dict[int, str] = {}
    for text in texts:
        line = f"{headings[text.section]}: {text.summary}"
        if text.summary and text.section not in taken and _tokens(line) <= room:
            taken[text.section] = line
            room -= _tokens(line)
    if not taken:
        return None
    lines = [taken[section] for section in headings if section in taken]
    return Quoted("\n".join(lines), {"summaries": ",".join(str(section) for section in headings if section in taken)})


def fixed_facts(texts: Sequence[SectionText], section: PlannedSection, tokens: int) -> Quoted | None:
    """Facts that stand already: those with words of this section's line first, then the latest."""
    wanted = set(index_terms(f"{section.heading} {section.main_point}"))
    facts = list(dict.fromkeys(fact for text in reversed(texts) for fact in text.facts))
    facts.sort(key=lambda fact: wanted.isdisjoint(index_terms(fact)))
    room = float(tokens)
    taken: list[str] = []
    for fact in facts:
        if _tokens(fact) <= room:
            taken.append(fact)
            room -= _tokens(fact)
    return Quoted("; ".join(taken), {"facts": len(taken)}) if taken else None


def last_words(text: str, tokens: int) -> Quoted | None:
    """The end of what stands before a section, word for word."""
    end = text.rstrip()[-tokens * _MOST_CHARACTERS_PER_TOKEN * _LONGEST_SENTENCE :]
    characters = int(tokens * len(end) / max(1.0, estimate_tokens(end)))
    tail = last_sentences(end, characters)[-_LONGEST_SENTENCE * characters :].strip()
    return Quoted(tail, {"last": len(tail)}) if tail else None


def _tokens(line: str) -> float:
    """With what parts it from the next."""
    return estimate_tokens(line) + 1
