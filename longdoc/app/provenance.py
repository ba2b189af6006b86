"""Tracing a run's summaries to their sources, with the embedder there is."""

from __future__ import annotations

from collections.abc import Mapping

from longdoc.agents.events import Emit, Warned
from longdoc.agents.provenance import Tracer
from longdoc.app.bootstrap import Workspace
from longdoc.documents.document import Document
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError
from longdoc.retrieval.alignment import Aligner
from longdoc.storage.supports import NodeSupport

_HASHED = "hashed"


async def trace_sources(
    workspace: Workspace, run_id: str, document: Document, *, emit: Emit
) -> Mapping[str, NodeSupport]:
    """What each node of a run rests on, by the node's id; nothing is loaded where all of it is stored.

    Sentences are compared by meaning and wording, by wording alone where no model for embeddings can be had: a summary
    is never lost for that, it is said in a warning.
    """
    tracer = Tracer(workspace.records.nodes, workspace.records.supports)
    if await tracer.missing(run_id, document) == 0:
        return await workspace.records.supports.of_run(run_id)
    embedder = await _embedder(workspace, emit)
    try:
        return await tracer.trace(run_id, document, Aligner(embedder), emit=emit)
    except EngineError as error:
        emit(Warned(f"sources are found by wording alone: {error}"))
        return await tracer.trace(run_id, document, Aligner(None), emit=emit)


async def _embedder(workspace: Workspace, emit: Emit) -> Embedder | None:
    try:
        embedder = await workspace.embedder.opened()
    except (ConfigError, EngineError) as error:
        emit(Warned(f"sources are found by wording alone: {error}"))
        return None
    return None if embedder.info.engine == _HASHED else embedder
