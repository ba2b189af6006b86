"""Looking back: runs with what they took, nodes with what they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longdoc.app.answer_records import StoredSelection
from longdoc.app.bootstrap import Records
from longdoc.documents.document import Document
from longdoc.errors import LdaError
from longdoc.storage.ledger import CallTotals, RecordedCall
from longdoc.storage.nodes import Node
from longdoc.storage.runs import Run
from longdoc.storage.supports import NodeSupport, SentenceSupport


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run and what it took, over all its starts."""

    run: Run
    totals: CallTotals


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A node with the ids of what it was made from, in order."""

    node: Node
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run, what it took, and its nodes by number: one tree, or several while the run is not finished."""

    run: Run
    totals: CallTotals
    nodes: tuple[TreeNode, ...]

    @property
    def roots(self) -> tuple[TreeNode, ...]:
        """The nodes that no other was made from."""
        inner = {child for tree_node in self.nodes for child in tree_node.children}
        return tuple(tree_node for tree_node in self.nodes if tree_node.node.id not in inner)


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """A node, its children, the calls behind it, and the text of the source it stands for.

    `document` is what it is of, `sentences` what each of its sentences rests on; empty where that was not traced.
    `selection` is how the answer to a question was found, None for anything else.
    """

    node: Node
    children: tuple[Node, ...]
    calls: tuple[RecordedCall, ...]
    source: str
    document: Document | None = None
    sentences: tuple[SentenceSupport, ...] = ()
    selection: StoredSelection | None = None


async def run_summaries(records: Records) -> list[RunSummary]:
    """All runs, the last started first."""
    runs = await records.runs.list()
    totals = await records.ledger.totals_of_runs()
    return [RunSummary(run, totals.get(run.id, CallTotals())) for run in runs]


async def run_details(records: Records, prefix: str) -> RunDetails:
    """One run. Raises `NotFoundError`."""
    run = await records.runs.get(prefix)
    edges = await records.nodes.edges(run.id)
    below = {node.id: (node, list[str]()) for node in await records.nodes.of_run(run.id)}
    for parent, child in edges:
        if parent in below and child in below:  # a run under way may have replaced nodes between the two queries
            below[parent][1].append(child)
    nodes = tuple(TreeNode(node, tuple(children)) for node, children in below.values())
    return RunDetails(run, await records.ledger.totals(run.id), nodes)


async def node_details(records: Records, address: str) -> NodeDetails:
    """A node by its address "<run>.<number>", or the result of a run by the run's. Raises `NotFoundError`."""
    node = await records.nodes.get(await _node_id(records, address))
    calls: Sequence[int] = await records.nodes.calls(node.id)
    document = None if node.document_id is None else await records.documents.load(node.document_id)
    selection = await records.selections.load(node.run_id)
    support = (await records.supports.of_nodes([node.id])).get(node.id)
    return NodeDetails(
        node=node,
        children=await records.nodes.children(node.id),
        calls=tuple([await records.ledger.call(call_id) for call_id in calls]),
        source=_source(document, node),
        document=document,
        sentences=() if support is None else support.sentences,
        selection=None if selection is None else StoredSelection.model_validate(selection),
    )


@dataclass(frozen=True, slots=True)
class RunReport:
    """All that a report of a run shows: the run with its nodes, its document, and what each node rests on."""

    details: RunDetails
    document: Document
    supports: Mapping[str, NodeSupport]


async def run_report(records: Records, prefix: str) -> RunReport:
    """What a report of a run shows. Raises `NotFoundError`, and `LdaError` where there is no result yet."""
    details = await run_details(records, prefix)
    if details.run.result_node is None:
        raise _unfinished(details.run)
    document = await records.documents.load(details.run.document_ids[0])
    return RunReport(details, document, await records.supports.of_run(details.run.id))


async def _node_id(records: Records, address: str) -> str:
    prefix, dot, number = address.partition(".")
    run = await records.runs.get(prefix)
    if dot:
        return f"{run.id}.{number}"
    if run.result_node is None:
        raise _unfinished(run)
    return run.result_node


def _source(document: Document | None, node: Node) -> str:
    if document is None or node.start is None or node.end is None:
        return ""
    return document.text[node.start : node.end].strip()


def _unfinished(run: Run) -> LdaError:
    return LdaError(f"run {run.id} has no result yet; 'lda runs show {run.id}' lists what it has")
