"""What capabilities take by name in the Python face: the fields of their option classes, which say what they mean.

Typed once here for the methods of both faces; a test keeps them in step with those classes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.agents.relevance import ScoringMode
from longdoc.memory.policies import PolicyName, RecallOptions
from longdoc.memory.profile_ranking import Ranked

if TYPE_CHECKING:
    from longdoc.agents.follow_up import Turn
    from longdoc.app.orchestrator import Capability


class SummaryKeywords(TypedDict, total=False):
    """See `SummaryOptions`."""

    method: str
    words: int | None
    by_chapter: bool
    segment_tokens: int | None
    language: str | None
    focus: str | None
    merge_context: MergeContext
    sources: bool


class AskKeywords(TypedDict, total=False):
    """See `AskOptions`."""

    strategy: str
    scoring: ScoringMode | None
    candidates: int
    context_tokens: int | None
    answer_tokens: int


class DraftKeywords(TypedDict, total=False):
    """See `DraftOptions`."""

    words: int | None
    chapters: int | None
    parallel: bool
    like: str | None
    seed: int


class ChatKeywords(TypedDict, total=False):
    """See `ChatOptions`."""

    policy: PolicyName
    recall: RecallOptions
    system: str | None
    memory_tokens: int | None
    answer_tokens: int | None
    facts: bool


class PersonalKeywords(TypedDict, total=False):
    """See `PersonalRequest`."""

    take: int | None
    summary: bool
    ranked: Ranked
    budget: int | None
    before: datetime | None
    without: tuple[str, ...]
    seed: int
    whitespace: bool
    searched: str | None


class DoKeywords(TypedDict, total=False):
    """See `DoRequest`."""

    collection: str | None
    session: str | None
    user: str | None
    tenant: str
    turns: tuple[Turn, ...]
    capability: Capability | None
    words: int | None
