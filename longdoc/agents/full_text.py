"""The whole text in one call, where it fits: the plain way that the others are measured against."""

from __future__ import annotations

from dataclasses import replace

from longdoc.agents.events import Emit
from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.summary import Summary, SummaryEstimate, SummaryTask
from longdoc.agents.tree_plan import DEFAULT_FINAL_TOKENS, words_of
from longdoc.documents.document import SectionRole
from longdoc.documents.segments import Segment
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError
from longdoc.storage.nodes import Nodes

_TEMPLATE_TOKENS = 500
"""Room for any of our templates with its titles."""


def most_text_tokens(window: int) -> int:
    """How many tokens of text fit one call, with an answer that may have to be gone on with."""
    return max(16, window - 2 * min(DEFAULT_FINAL_TOKENS, window // 4) - _TEMPLATE_TOKENS)


class FullTextSummarizer:
    """Summarizes in one call: a tree of one node."""

    def __init__(self, engine: Engine, nodes: Nodes) -> None:
        self._engine = engine
        self._one_node = HierarchicalSummarizer(engine, nodes)

    def segment_limit(self, window: int) -> int:
        """All that fits one call."""
        return most_text_tokens(window)

    def estimate(self, task: SummaryTask) -> SummaryEstimate:
        """See `Summarizer`."""
        return self._one_node.estimate(self._whole(task))

    async def summarize(self, task: SummaryTask, *, run_id: str, emit: Emit) -> Summary:
        """See `Summarizer`."""
        return await self._one_node.summarize(self._whole(task), run_id=run_id, emit=emit)

    def _whole(self, task: SummaryTask) -> SummaryTask:
        body = [s for s in task.segments if s.role is SectionRole.BODY] or list(task.segments)
        tokens = sum(segment.tokens for segment in body)
        window = self._engine.info.context_window
        if tokens > most_text_tokens(window):
            raise ConfigError(
                f"the text has about {tokens:,} tokens, and one call of this model holds {most_text_tokens(window):,} "
                "of them; leave --method to auto"
            )
        if task.words is not None and task.words > words_of(DEFAULT_FINAL_TOKENS):
            raise ConfigError(
                f"one call writes at most {words_of(DEFAULT_FINAL_TOKENS)} words; for {task.words:,} use "
                "--method hierarchical"
            )
        if task.by_chapter:
            raise ConfigError("chapters are summarized by the hierarchical method; use --method hierarchical")
        one = Segment(0, body[0].start, body[-1].end, tokens, SectionRole.BODY, None)
        return replace(task, segments=[one])
