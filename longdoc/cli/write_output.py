"""Drafts as they are put out: states for people, values for programs, files in any format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from longdoc.agents.draft_changes import SectionState, open_sections
from longdoc.app.draft_export import stored_notes, title_of
from longdoc.app.draft_writing import DraftResult, states
from longdoc.cli.output import check_writable, usage_json
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.storage.draft_types import Draft, SectionText

STATE_COLUMNS = ("n", "state", "words", "of", "section", "said of it")


@dataclass(frozen=True, slots=True)
class DraftState:
    """A draft with the texts that it holds now."""

    draft: Draft
    texts: Mapping[int, SectionText]

    @property
    def words(self) -> int:
        """How many are written."""
        return sum(self.texts[one.id].words for one in self.draft.plan.sections if one.id in self.texts)

    @property
    def open(self) -> int:
        """How many sections have to be written."""
        return len(open_sections(self.draft.plan, self.texts))

    def rows(self) -> list[list[str]]:
        """A row of a table for each section."""
        rows: list[list[str]] = []
        for number, (section, state) in enumerate(
            zip(self.draft.plan.sections, states(self.draft, self.texts), strict=True), 1
        ):
            text = self.texts.get(section.id)
            heading = " > ".join(filter(None, (*section.path, section.heading))) or "(the text)"
            told = "; ".join(filter(None, ("locked" if section.locked else "", text.reason if text else "")))
            words = f"{text.words:,}" if text is not None else ""
            rows.append([str(number), str(state), words, f"{section.words:,}", heading, told])
        return rows

    def json(self) -> dict[str, JsonValue]:
        """As a value for programs, with all texts."""
        return {
            "name": self.draft.name,
            "title": title_of(self.draft),
            "instruction": self.draft.instruction,
            "settings": dict(self.draft.settings),
            "revision": self.draft.revision,
            "words": self.words,
            "target": self.draft.plan.words,
            "sections": [
                self._section(number, state) for number, state in enumerate(states(self.draft, self.texts), 1)
            ],
        }

    def _section(self, number: int, state: SectionState) -> dict[str, JsonValue]:
        section = self.draft.plan.sections[number - 1]
        text = self.texts.get(section.id)
        told: dict[str, JsonValue] = {
            "n": number,
            "id": section.id,
            "path": list(section.path),
            "heading": section.heading,
            "main_point": section.main_point,
            "target": section.words,
            "state": str(state),
            "locked": section.locked,
            "version": section.version,
        }
        if text is not None:
            citations: list[JsonValue] = [dict(note) for note in stored_notes(text)]
            told |= {"words": text.words, "text": text.text, "reason": text.reason, "citations": citations}
        return told


def result_json(result: DraftResult) -> dict[str, JsonValue]:
    """What work on a draft gave, for the envelope."""
    state = DraftState(result.draft, result.texts)
    return {**state.json(), "run": result.run_id, "failed": list(result.failed), "usage": usage_json(result.usage)}


def check_folder(out: Path | None) -> None:
    """Find out before anything is spent whether a file can be written there. Raises `ConfigError`."""
    if out is None:
        return
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name a file, such as {out / 'draft.epub'}")
    check_writable(out.parent)
