"""Segments of a document for an engine: counted as exactly as the engine allows, stored, and found again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from longdoc.agents.calls import call, request_of
from longdoc.app.bootstrap import Workspace
from longdoc.app.runs import OpenRun
from longdoc.documents.document import Document
from longdoc.documents.segments import SEGMENTER_VERSION, Segment, segment_document
from longdoc.documents.tokens import EstimatedTokens, TokenCounter, estimate_tokens
from longdoc.engines.engine import Engine
from longdoc.prompts.catalogue import Quoted, render

_SAMPLE_CHARACTERS = 4000
_LEAST_RATIO, _MOST_RATIO = 0.5, 4.0
_RATIO_STEP = 0.05


async def segments_of(
    workspace: Workspace, document: Document, *, limit: int, run: OpenRun | None
) -> Sequence[Segment]:
    """The segments of a stored document, of at most `limit` tokens of the workspace's engine.

    Where the engine has no tokenizer, one recorded call of the run measures how it counts; without a run
    nothing is spent and nothing is stored.
    """
    info = workspace.engine.info
    counting = "exact" if info.exact_tokens else "calibrated"
    key = f"v{SEGMENTER_VERSION}:{info.identity}:{counting}:{limit}"
    stored = await workspace.records.documents.segmentation(document.id, key)
    if stored is not None:
        return stored
    counter = await _counter(workspace.engine, document, run)
    segments = await segment_document(document, counter, limit=limit)
    if run is not None:
        await workspace.records.documents.save_segmentation(document.id, key, segments)
    return segments


class _EngineTokens:
    """An engine's own tokenizer as a counter."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def identity(self) -> str:
        return self._engine.info.identity

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return await self._engine.count_tokens(texts)


def counter_of(engine: Engine, *, ratio: float = 1.0) -> TokenCounter:
    """An engine's own tokenizer, or the estimate, times `ratio`, where it has none."""
    return _EngineTokens(engine) if engine.info.exact_tokens else EstimatedTokens(ratio)


async def _counter(engine: Engine, document: Document, run: OpenRun | None) -> TokenCounter:
    if run is None or engine.info.exact_tokens:
        return counter_of(engine)
    return counter_of(engine, ratio=await _measured_ratio(run, document))


async def _measured_ratio(run: OpenRun, document: Document) -> float:
    """Tokens that the engine says it read over tokens estimated, for a sample from the middle of the text.

    Rounded up to a step, so that an edited text, whose sample is another one, is still cut in the same places.
    """
    start = max(0, (len(document.text) - _SAMPLE_CHARACTERS) // 2)
    end = min(len(document.text), start + _SAMPLE_CHARACTERS)
    sample = Quoted(document.text[start:end], {"document": document.id, "start": start, "end": end})
    prompt = render("tokens/sample", {"sample": sample})
    request = request_of(prompt, max_tokens=1)
    usage = (await call(run.engine, request, purpose="token count of a sample", emit=run.emit)).usage
    if usage.prompt_tokens == 0:
        return 1.0
    ratio = usage.prompt_tokens / estimate_tokens(prompt.system + prompt.user)
    return min(_MOST_RATIO, max(_LEAST_RATIO, math.ceil(ratio / _RATIO_STEP) * _RATIO_STEP))
