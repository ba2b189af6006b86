"""Looking back: runs with what they took, nodes with what they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.app.bootstrap import Records
from longdoc.errors import LdaError
from longdoc.storage.ledger import CallTotals, RecordedCall
from longdoc.storage.nodes import Node
from longdoc.storage.runs import Run


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run and what it took, over all its starts."""

    run: Run
    totals: CallTotals


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A node with what it was made from."""

    node: Node
    children: tuple[TreeNode, ...]


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run, what it took, and its nodes as trees (several while the run is not finished)."""

    run: Run
    totals: CallTotals
    trees: tuple[TreeNode, ...]


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """A node, its children, the calls behind it, and the text of the source it stands for."""

    node: Node
    children: tuple[Node, ...]
    calls: tuple[RecordedCall, ...]
    source: str


async def run_summaries(records: Records) -> list[RunSummary]:
    """All runs, the last started first."""
    return [RunSummary(run, await records.ledger.totals(run.id)) for run in await records.runs.list()]


async def run_details(records: Records, prefix: str) -> RunDetails:
    """One run. Raises `NotFoundError`."""
    run = await records.runs.get(prefix)
    nodes = await records.nodes.of_run(run.id)
    below = {node.id: await records.nodes.children(node.id) for node in nodes}
    inner = {child.id for children in below.values() for child in children}
    roots = [node for node in nodes if node.id not in inner]
    trees = tuple(_tree(node, below) for node in roots)
    return RunDetails(run, await records.ledger.totals(run.id), trees)


def _tree(node: Node, below: dict[str, tuple[Node, ...]]) -> TreeNode:
    return TreeNode(node, tuple(_tree(child, below) for child in below[node.id]))


async def node_details(records: Records, address: str) -> NodeDetails:
    """A node by its address "<run>.<number>", or the result of a run by the run's. Raises `NotFoundError`."""
    node = await records.nodes.get(await _node_id(records, address))
    calls: Sequence[int] = await records.nodes.calls(node.id)
    return NodeDetails(
        node=node,
        children=await records.nodes.children(node.id),
        calls=tuple([await records.ledger.call(call_id) for call_id in calls]),
        source=await _source(records, node),
    )


async def _node_id(records: Records, address: str) -> str:
    prefix, dot, number = address.partition(".")
    run = await records.runs.get(prefix)
    if dot:
        return f"{run.id}.{number}"
    if run.result_node is None:
        raise LdaError(f"run {run.id} has no result yet; 'lda runs show {run.id}' lists what it has")
    return run.result_node


async def _source(records: Records, node: Node) -> str:
    if node.document_id is None or node.start is None or node.end is None:
        return ""
    document = await records.documents.load(node.document_id)
    return document.text[node.start : node.end].strip()
