"""What is done before a draft is written: its style sheet, its length, its plan."""

from __future__ import annotations

import hashlib

from longdoc.agents.calls import call, request_of
from longdoc.agents.draft_budget import MOST_SECTION, SHORT_REQUEST
from longdoc.agents.draft_planner import USUAL_WORDS, DraftPlanner, PlanTask
from longdoc.agents.draft_request import MOST_WORDS, WORDS_A_CHAPTER, requested_length
from longdoc.agents.events import Emit, Warned
from longdoc.agents.sentences import cut_to_sentence
from longdoc.app.draft_settings import DraftSettings
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine, EngineInfo
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.draft_types import DraftPlan, PlannedSection

_SAMPLE_SHARE = 1 / 3
_STYLE_TOKENS = 260
_SECTION_SHARE = 0.35
"""Of the window: what a section may take, in words."""
_LEAST_SECTION_LIMIT = 200


def section_limit(info: EngineInfo) -> int:
    """The most words that a section has with an engine."""
    return max(_LEAST_SECTION_LIMIT, min(MOST_SECTION, int(info.context_window * _SECTION_SHARE)))


class DraftPreparation:
    """Prepares one draft; `settings` are what was asked for."""

    def __init__(self, engine: Engine, settings: DraftSettings, *, grounded: bool, emit: Emit) -> None:
        self._engine = engine
        self._settings = settings
        self._grounded = grounded
        self._emit = emit

    async def plan(self) -> DraftPlan:
        """The plan of a draft; a short text is one section and needs none. Raises as `DraftPlanner.plan`."""
        settings = self._settings
        planner = DraftPlanner(self._engine, emit=self._emit, most_section=section_limit(self._engine.info))
        words, chapters = await self._size(planner)
        if words < SHORT_REQUEST and not (chapters and chapters > 1):
            return DraftPlan("", (PlannedSection(1, "", "", words),))
        task = PlanTask(
            settings.instruction,
            words,
            chapters if chapters and words // chapters >= 2 else None,
            grounded=self._grounded,
            style=settings.style,
            seed=settings.seed,
        )
        return await planner.plan(task)

    async def style_sheet(self) -> str:
        """How the sample is written, as much of it as a third of the window holds. Raises what the engine raises."""
        sample = self._settings.like
        room = self._engine.info.context_window * _SAMPLE_SHARE
        sample = sample[: int(len(sample) * min(1.0, room / max(1.0, estimate_tokens(sample))))]
        digest = hashlib.sha256(sample.encode()).hexdigest()[:12]
        prompt = render("write/style", {"sample": Quoted(sample, {"sample": digest})})
        request = request_of(prompt, max_tokens=_STYLE_TOKENS)
        answer = await call(self._engine, request, purpose="style sheet", emit=self._emit)
        return cut_to_sentence(answer.text.strip())

    async def _judged(self, planner: DraftPlanner) -> int:
        """What the model judges the length to be; a toy's judgement is noise."""
        if not self._engine.info.toy:
            return await planner.length(self._settings.instruction)
        self._emit(Warned(f"no length is named, so it is {USUAL_WORDS:,} words; --words sets another"))
        return USUAL_WORDS

    async def _size(self, planner: DraftPlanner) -> tuple[int, int | None]:
        """Words and chapters: those that are set, else those of the instruction, else what the model judges."""
        settings = self._settings
        asked = requested_length(settings.draft.instruction)
        chapters = settings.chapters or asked.chapters
        words = settings.words or asked.words
        if words is None:
            words = chapters * WORDS_A_CHAPTER if chapters else await self._judged(planner)
        if asked.several and settings.words is None:
            self._emit(Warned(f"several lengths are named; {words:,} words are taken; --words sets another"))
        if words > MOST_WORDS:
            self._emit(Warned(f"a draft has {MOST_WORDS:,} words at most, not {words:,}"))
        return min(words, MOST_WORDS), chapters
