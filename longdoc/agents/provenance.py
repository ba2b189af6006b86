"""What every sentence of a summary rests on: sentences of the text for a summary of a segment, sentences of the
summaries below for a merge, and through these the text again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from longdoc.agents.events import Emit, Traced
from longdoc.documents.atoms import sentence_spans
from longdoc.documents.document import Document
from longdoc.retrieval.alignment import ALIGNMENT_VERSION, Aligner
from longdoc.retrieval.support import Support
from longdoc.storage.nodes import Node, Nodes
from longdoc.storage.supports import NodeSupport, SentenceSupport, Supports

_MOST_SPANS = 8


@dataclass(frozen=True, slots=True)
class _Source:
    """A sentence that a node may rest on: of the text, or of a child with what that rests on."""

    text: str
    spans: tuple[tuple[int, int], ...]
    score: float = 1.0
    child: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class _Tree:
    """The nodes of a run, children first, with the children of each."""

    nodes: Sequence[Node]
    children: Mapping[str, Sequence[Node]]


class Tracer:
    """Traces the sentences of a run's nodes to the document, storing what each node rests on as it is found."""

    def __init__(self, nodes: Nodes, supports: Supports) -> None:
        self._nodes = nodes
        self._supports = supports

    async def missing(self, run_id: str, document: Document) -> int:
        """How many nodes of a run are not traced yet, or no longer rightly."""
        tree, stored = await self._tree(run_id), await self._supports.of_run(run_id)
        bases = _bases(tree, document)
        return sum(not _is_current(stored.get(node.id), bases[node.id]) for node in tree.nodes)

    async def trace(
        self, run_id: str, document: Document, aligner: Aligner, *, emit: Emit
    ) -> Mapping[str, NodeSupport]:
        """What each node of a run rests on, by id. What is stored and still holds is not worked out again.

        Raises what the aligner's embedder raises.
        """
        tree, stored = await self._tree(run_id), await self._supports.of_run(run_id)
        bases = _bases(tree, document)
        traced: dict[str, NodeSupport] = {}
        for number, node in enumerate(tree.nodes, start=1):
            found = stored.get(node.id)
            if found is None or not _is_current(found, bases[node.id]):
                sentences = await _supported(node, tree.children[node.id], traced, document, aligner)
                found = NodeSupport(node.id, bases[node.id], aligner.identity, sentences)
                await self._supports.save(found)
                emit(Traced(number, len(tree.nodes)))
            traced[node.id] = found
        return traced

    async def _tree(self, run_id: str) -> _Tree:
        nodes = await self._nodes.of_run(run_id)
        by_id = {node.id: node for node in nodes}
        children: dict[str, list[Node]] = {node.id: [] for node in nodes}
        for parent, child in await self._nodes.edges(run_id):
            if parent in children and child in by_id:
                children[parent].append(by_id[child])
        return _Tree(nodes, children)


def _bases(tree: _Tree, document: Document) -> dict[str, str]:
    """A hash for each node of all that its support is worked out from, through all nodes below."""
    bases: dict[str, str] = {}
    for node in tree.nodes:
        parts = [str(ALIGNMENT_VERSION), document.id, str(node.start), str(node.end), node.text]
        parts += [bases.get(child.id, "") for child in tree.children[node.id]]
        bases[node.id] = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return bases


def _is_current(support: NodeSupport | None, basis: str) -> bool:
    return support is not None and support.basis == basis


async def _supported(
    node: Node, children: Sequence[Node], traced: Mapping[str, NodeSupport], document: Document, aligner: Aligner
) -> tuple[SentenceSupport, ...]:
    if children and node.text == "\n\n".join(child.text for child in children if child.text):
        return tuple(_joined(children, traced))
    language = document.metadata.language.split("-")[0].lower() or "en"
    sources = [source for child in children for source in _child_sentences(child, traced)]
    start = children[-1].end if children else node.start
    if start is not None and node.end is not None and start < node.end:
        sources += _text_sentences(document, start, node.end, language)
    spans = _trimmed(node.text, 0, language)
    aligned = await aligner.align([node.text[first:last] for first, last in spans], [source.text for source in sources])
    return tuple(_sentence(span, support, sources) for span, support in zip(spans, aligned, strict=True))


def _joined(children: Sequence[Node], traced: Mapping[str, NodeSupport]) -> list[SentenceSupport]:
    """The sentences of texts that were put one after the other."""
    sentences: list[SentenceSupport] = []
    position = 0
    for child in children:
        if not child.text:
            continue
        sentences += [
            replace(
                sentence,
                start=sentence.start + position,
                end=sentence.end + position,
                children=((child.id, number),) if sentence.supported else (),
            )
            for number, sentence in enumerate(traced[child.id].sentences)
        ]
        position += len(child.text) + 2
    return sentences


def _sentence(span: tuple[int, int], support: Support, sources: Sequence[_Source]) -> SentenceSupport:
    """A merged sentence is no better supported than the best of the sentences it rests on."""
    used = [sources[source.number] for source in support.sources]
    well = [source for source in used if source.spans]
    score = min(support.score, max((source.score for source in well), default=0.0)) if used else support.score
    if not well:
        return SentenceSupport(*span, score=round(score, 4), supported=False)
    spans = dict.fromkeys(span for source in well for span in source.spans)
    return SentenceSupport(
        *span,
        score=round(score, 4),
        supported=True,
        spans=tuple(spans)[:_MOST_SPANS],
        children=tuple(source.child for source in well if source.child is not None),
    )


def _child_sentences(child: Node, traced: Mapping[str, NodeSupport]) -> list[_Source]:
    return [
        _Source(child.text[sentence.start : sentence.end], sentence.spans, sentence.score, (child.id, number))
        for number, sentence in enumerate(traced[child.id].sentences)
    ]


def _text_sentences(document: Document, start: int, end: int, language: str) -> list[_Source]:
    spans = _trimmed(document.text[start:end], start, language)
    return [_Source(document.text[first:last], ((first, last),)) for first, last in spans]


def _trimmed(text: str, offset: int, language: str) -> list[tuple[int, int]]:
    """The sentences of a text without the white space around them, as offsets from `offset`; none empty."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text, language):
        sentence = text[start:end]
        first = start + len(sentence) - len(sentence.lstrip())
        last = start + len(sentence.rstrip())
        if last > first:
            spans.append((offset + first, offset + last))
    return spans
