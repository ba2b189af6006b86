"""What a draft is asked for: options, and how a draft keeps them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.draft_request import FEWEST_WORDS, MOST_WORDS
from longdoc.app.bootstrap import Workspace
from longdoc.documents.document import Document
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.draft_types import Draft

_NAME = re.compile(r"[^\W_][\w./-]{0,99}")
_ASKED = {"words", "chapters", "parallel", "like", "seed", "documents"}
STYLE: Final = "style"
"""The setting that a style sheet is kept under, once it is made."""


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """What a user can ask of a draft besides the instruction. Raises `ConfigError` for values that cannot work.

    `words` (None: what the instruction says, else what the model judges) and `chapters` are its length; `parallel`
    writes sections at once, none of which then knows the others' text; `like` is a sample of the style; `seed` makes
    another text of the same.
    """

    words: int | None = None
    chapters: int | None = None
    parallel: bool = False
    like: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.words is not None and not FEWEST_WORDS <= self.words <= MOST_WORDS:
            raise ConfigError(f"a draft has {FEWEST_WORDS} to {MOST_WORDS:,} words, not {self.words:,}")
        if self.chapters is not None and not 1 <= self.chapters <= 100:
            raise ConfigError(f"a draft has 1 to 100 chapters, not {self.chapters}")

    def settings(self, documents: Sequence[Document]) -> dict[str, JsonValue]:
        """As a draft keeps it; what is left at its default is left out."""
        asked: dict[str, JsonValue] = {
            "words": self.words,
            "chapters": self.chapters,
            "parallel": self.parallel or None,
            "like": self.like,
            "seed": self.seed or None,
            "documents": [document.id for document in documents] or None,
        }
        return {name: value for name, value in asked.items() if value is not None}


async def new_draft(
    workspace: Workspace, name: str, instruction: str, options: DraftOptions, documents: Sequence[Document] = ()
) -> Draft:
    """A new draft, or the one there is where the same was asked for under that name.

    Raises `ConfigError` for an empty instruction, and where another draft has the name.
    """
    if not instruction.strip():
        raise ConfigError("say what to write")
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name[:40]!r} is no name for a draft: letters, digits and . _ - / are, up to 100 of them")
    for document in documents:
        await workspace.records.documents.save(document)
    settings = options.settings(documents)
    found = await workspace.records.drafts.find(name)
    if found is None:
        return await workspace.records.drafts.create(name, instruction, settings)
    asked = {key: value for key, value in found.settings.items() if key in _ASKED}
    if found.instruction != instruction or asked != settings:
        raise ConfigError(f"the draft {name!r} was asked for otherwise; go on with it, or choose another --name")
    return found


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """The settings of a draft, read."""

    draft: Draft

    @property
    def instruction(self) -> Quoted:
        """What was asked for."""
        return Quoted(self.draft.instruction, {"draft": self.draft.name, "part": "instruction"})

    @property
    def style(self) -> Quoted | None:
        """The style sheet, where there is one."""
        style = self.draft.settings.get(STYLE)
        return Quoted(str(style), {"draft": self.draft.name, "part": "style"}) if style else None

    @property
    def words(self) -> int | None:
        """The length that was set."""
        return self._number("words")

    @property
    def chapters(self) -> int | None:
        """The number of chapters that was set."""
        return self._number("chapters")

    @property
    def parallel(self) -> bool:
        """Whether sections are written at once."""
        return bool(self.draft.settings.get("parallel"))

    @property
    def like(self) -> str:
        """A sample of the style; empty where there is none."""
        return str(self.draft.settings.get("like") or "")

    @property
    def seed(self) -> int:
        """What makes another text of the same."""
        return self._number("seed") or 0

    @property
    def documents(self) -> list[str]:
        """The ids of the sources."""
        ids = self.draft.settings.get("documents")
        return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []

    def seed_of(self, section: int, version: int) -> int:
        """A seed of 20 bits that is another for every version of every section, and the same in every process."""
        digest = hashlib.sha256(f"{self.seed}.{section}.{version}".encode()).digest()
        return int.from_bytes(digest[:3]) >> 4

    def _number(self, name: str) -> int | None:
        value = self.draft.settings.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
