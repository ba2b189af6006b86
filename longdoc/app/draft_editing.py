"""What people do to a draft without a model: its plan and its texts changed, each change one that can be undone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from longdoc.agents.draft_changes import dropped, holding, inserted, locked, moved, opened_again
from longdoc.agents.draft_markdown import read_plan
from longdoc.agents.draft_request import MOST_WORDS
from longdoc.agents.sentences import count_words
from longdoc.app.bootstrap import Records
from longdoc.app.draft_memory import forget_draft
from longdoc.documents.atoms import sentence_spans
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.draft_types import Draft, DraftPlan, PlannedSection, SectionText

_NAME_WORDS = 4
_NAME_CHARACTERS = 32
_FILLERS = {
    "a",
    "an",
    "the",
    "write",
    "me",
    "please",
    "of",
    "about",
    "on",
    "in",
    "for",
    "to",
    "with",
    "and",
    "word",
    "words",
}


class DraftEditor:
    """Changes drafts of a record. Methods return the draft as it is then."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._drafts = records.drafts

    async def set_plan(self, draft: Draft, markdown: str) -> Draft:
        """Give a draft the plan that a person made of its own. Raises `ConfigError` with the line that is wrong."""
        plan = read_plan(markdown, draft.plan, next_id=await self._next_id(draft))
        return draft if plan == draft.plan else await self._drafts.revise(draft, plan, "edit of the plan")

    async def begin_with(self, draft: Draft, markdown: str) -> Draft:
        """Give a new draft a plan of a person's own; the one that has it already stays as it is. Raises `ConfigError`
        for a plan that cannot be read, and where the draft has another one."""
        if not draft.plan.sections:
            return await self.set_plan(draft, markdown)
        asked = read_plan(markdown, DraftPlan(), next_id=1)
        if _lines(asked) != _lines(draft.plan):
            raise ConfigError(f"{draft.name!r} has another plan; change it: lda write edit {draft.name} --file PLAN")
        return draft

    async def set_text(self, draft: Draft, number: int, text: str) -> Draft:
        """Give a section (by its number, from 1) a text of a person's own; it is not written over. Raises
        `ConfigError` for an empty one."""
        section = section_at(draft.plan, number)
        text = text.strip()
        if not text:
            raise ConfigError("the text is empty; lda write drop takes a section out")
        texts = await self._drafts.texts(draft)
        if section.id in texts and texts[section.id].text.strip() == text:
            return draft
        version = await self._next_version(draft, section.id)
        words = count_words(text)
        edited = SectionText(section.id, version, text, words, section.words, section.line, edited=True)
        if section.id in texts:
            edited = replace(edited, notes=kept_notes(texts[section.id], text))
        plan = holding(draft.plan, section.id, version)
        return await self._drafts.revise(draft, plan, f"edit of section {number}", texts=[edited])

    async def insert(self, draft: Draft, number: int, *, heading: str, point: str, words: int) -> Draft:
        """Put a new section in at a number. Raises `ConfigError`."""
        if not heading.strip() or not 1 <= words <= MOST_WORDS:
            raise ConfigError(f"a new section needs a heading, and 1 to {MOST_WORDS:,} words")
        section = PlannedSection(await self._next_id(draft), heading.strip(), point.strip() or heading.strip(), words)
        return await self._drafts.revise(draft, inserted(draft.plan, number, section), f"insert at {number}")

    async def move(self, draft: Draft, number: int, to: int) -> Draft:
        """Put a section elsewhere. Raises `ConfigError`."""
        return await self._drafts.revise(draft, moved(draft.plan, number, to), f"move of {number} to {to}")

    async def drop(self, draft: Draft, numbers: Sequence[int]) -> Draft:
        """Take sections out. Raises `ConfigError`."""
        return await self._drafts.revise(draft, dropped(draft.plan, numbers), f"drop of {_listed(numbers)}")

    async def lock(self, draft: Draft, numbers: Sequence[int], *, lock: bool) -> Draft:
        """Keep sections from being written again, or let them be. Raises `ConfigError`."""
        what = f"{'lock' if lock else 'unlock'} of {_listed(numbers)}"
        return await self._drafts.revise(draft, locked(draft.plan, numbers, lock=lock), what)

    async def open_again(self, draft: Draft, numbers: Sequence[int], comment: str) -> Draft:
        """Have sections written anew by the next work on the draft. The same asked again before that is done goes on
        with it. Raises `ConfigError`."""
        what = f"rewrite of {_listed(numbers)}"
        plan = opened_again(draft.plan, numbers, comment)
        now = next(one for one in await self._drafts.revisions(draft) if one.number == draft.revision)
        sections = [section_at(draft.plan, number) for number in numbers]
        asked = now.what == what and all(section.comment == comment for section in sections)
        if asked and any(not section.version for section in sections):
            return draft
        return await self._drafts.revise(draft, plan, what)

    async def delete(self, draft: Draft) -> None:
        """Delete a draft with its memories, and the runs that wrote it with their calls, but for calls that another
        run uses too."""
        await forget_draft(self._records, draft)
        for run in await self._records.runs.list(kind="write"):
            if run.parameters.get("id") == draft.id and run.parameters.get("draft") == draft.name:
                await self._records.runs.delete(run.id, with_calls=True)
        await self._drafts.delete(draft)

    async def _next_id(self, draft: Draft) -> int:
        """A number that no section of the draft ever had."""
        known = [section.id for section in draft.plan.sections]
        written = [text.section for text in await self._drafts.versions(draft)]
        return max([0, *known, *written]) + 1

    async def _next_version(self, draft: Draft, section: int) -> int:
        return max([0, *(text.version for text in await self._drafts.versions(draft, section))]) + 1


def kept_notes(before: SectionText, text: str) -> JsonValue:
    """The citations of a text whose sentences stand in another one too, at their places there."""
    if not isinstance(before.notes, list):
        return before.notes
    kept: list[JsonValue] = []
    for note in before.notes:
        at = note.get("at") if isinstance(note, dict) else None
        if not isinstance(note, dict) or not isinstance(at, int):
            continue
        sentence = next((before.text[a:b] for a, b in sentence_spans(before.text) if a < at <= b), "").strip()
        place = text.find(sentence) if sentence else -1
        if place >= 0:
            kept.append({**note, "at": place + len(sentence)})
    return kept


def section_at(plan: DraftPlan, number: int) -> PlannedSection:
    """The section with that number, from 1. Raises `ConfigError`."""
    if not 1 <= number <= len(plan.sections):
        raise ConfigError(f"there is no section {number}; the plan has {len(plan.sections)}")
    return plan.sections[number - 1]


def draft_name(instruction: str, settings: object) -> str:
    """A name for what is asked for, the same whenever the same is asked: its first telling words and a short hash."""
    words: list[str] = re.findall(r"[^\W_]+", instruction.casefold())
    telling = [word for word in words if word not in _FILLERS and not word.isdigit()][:_NAME_WORDS]
    digest = hashlib.sha256(to_canonical_json([instruction, settings]).encode()).hexdigest()[:4]
    return f"{'-'.join(telling)[:_NAME_CHARACTERS].strip('-')}-{digest}".lstrip("-")


def _lines(plan: DraftPlan) -> list[tuple[tuple[str, ...], str, str, int]]:
    return [(one.path, one.heading, one.main_point, one.words) for one in plan.sections]


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
