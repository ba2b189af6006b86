"""What a draft takes, worked out before anything is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from longdoc.agents.draft_budget import SHORT_REQUEST, group_size, usual_sections
from longdoc.agents.draft_context import ContextSizes
from longdoc.agents.draft_request import MOST_WORDS, WORDS_A_CHAPTER, requested_length
from longdoc.app.draft_preparation import section_limit
from longdoc.app.draft_settings import DraftOptions
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import EngineInfo

_TOKENS_PER_WORD = 1.4
_TEMPLATE_TOKENS = 200
_NOTE_TOKENS, _LINE_TOKENS = 140, 110


@dataclass(frozen=True, slots=True)
class DraftEstimate:
    """About what a draft takes, where every section comes to its length at the first attempt; `words` None: the model
    is asked for the length, and the rest is not known before."""

    words: int | None
    sections: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


def estimate_draft(info: EngineInfo, instruction: str, options: DraftOptions, *, grounded: bool) -> DraftEstimate:
    """What `write_draft` will do for a new draft. Spends nothing."""
    asked = requested_length(instruction)
    chapters = options.chapters or asked.chapters or 1
    words = options.words or asked.words or (chapters * WORDS_A_CHAPTER if chapters > 1 else None)
    if words is None:
        return DraftEstimate(None)
    words = min(words, MOST_WORDS)
    written = math.ceil(words * _TOKENS_PER_WORD)
    prompt = _TEMPLATE_TOKENS + math.ceil(estimate_tokens(instruction))
    sizes = ContextSizes.of(info.context_window)
    if grounded:
        prompt += sizes.excerpts
    if words < SHORT_REQUEST and chapters == 1:
        return DraftEstimate(words, 1, 1, prompt, written)
    most = section_limit(info)
    groups = max(chapters, round(words / size) if (size := group_size(words, MOST_WORDS)) is not None else 1)
    sections = max(groups, usual_sections(words, most))
    plans = 1 if groups == 1 else 1 + groups
    noted = 0 if options.parallel else sections - 1
    context = sizes.plan + (0 if options.parallel else sizes.memory + sizes.facts + sizes.tail)
    return DraftEstimate(
        words,
        sections,
        plans + sections + noted,
        plans * prompt + sections * (prompt + context) + noted * (_TEMPLATE_TOKENS + written // sections),
        written + noted * _NOTE_TOKENS + (sections + groups) * _LINE_TOKENS,
    )
