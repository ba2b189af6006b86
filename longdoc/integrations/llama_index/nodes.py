"""Stretches of our documents as nodes of LlamaIndex, with their offsets and where they stand."""

from __future__ import annotations

from itertools import pairwise

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from longdoc.app.api_capabilities import Capabilities
from longdoc.app.api_inputs import Inputs
from longdoc.app.segmentation import counter_of
from longdoc.documents.document import Document
from longdoc.documents.places import place_of
from longdoc.documents.segments import segment_document
from longdoc.integrations.desk import Desk, Opened

_UNEMBEDDED = ["document", "source", "start", "end", "page"]
"""What of the metadata tells a model nothing."""


def to_node(document: Document, start: int, end: int) -> TextNode:
    """`document.text[start:end]` as a node; the same stretch has the same id, always."""
    place = place_of(document, start, end)
    metadata = {
        "document": document.id,
        "title": document.title,
        "source": document.source,
        "section": " > ".join(place.section),
        "page": place.page,
        "start": start,
        "end": end,
    }
    return TextNode(
        id_=f"{document.id[:16]}:{start}-{end}",
        text=document.text[start:end],
        start_char_idx=start,
        end_char_idx=end,
        metadata=metadata,
        excluded_embed_metadata_keys=_UNEMBEDDED,
        excluded_llm_metadata_keys=_UNEMBEDDED,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document.id)},
    )


def segments_as_nodes(lda: Opened, documents: Inputs, *, tokens: int = 512) -> list[TextNode]:
    """The segments of documents as nodes: they break at sections, paragraphs and sentences, have at most `tokens`, and
    join back to the text. Each knows the one before it and the one after it.

    Raises `ConfigError` for fewer than 16 tokens, kinds of `DocumentError`.

    ```python
    for node in segments_as_nodes(lda, "book.epub"):
        print(node.start_char_idx, node.end_char_idx, node.metadata["section"])
    ```
    """
    desk = Desk(lda, documents)
    return desk.run(lambda opened: _nodes(opened, desk, tokens))


async def asegments_as_nodes(lda: Opened, documents: Inputs, *, tokens: int = 512) -> list[TextNode]:
    """As `segments_as_nodes`, on a loop."""
    desk = Desk(lda, documents)
    return await desk.arun(lambda opened: _nodes(opened, desk, tokens))


async def _nodes(lda: Capabilities, desk: Desk, tokens: int) -> list[TextNode]:
    found: list[TextNode] = []
    for document in await desk.documents():
        segments = await segment_document(document, counter_of(lda.workspace.engine), limit=tokens)
        nodes = [to_node(document, segment.start, segment.end) for segment in segments]
        for before, after in pairwise(nodes):
            before.relationships[NodeRelationship.NEXT] = RelatedNodeInfo(node_id=after.node_id)
            after.relationships[NodeRelationship.PREVIOUS] = RelatedNodeInfo(node_id=before.node_id)
        found += nodes
    return found
