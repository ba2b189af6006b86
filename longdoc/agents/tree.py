"""Carrying out a plan: each node made when what it needs is there, finished where it is shown, and stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from longdoc.agents.attempts import Made, gap
from longdoc.agents.events import Emit, NodeDone, Planned, Warned
from longdoc.agents.finishing import Finisher, fits
from longdoc.agents.graph import run_graph
from longdoc.agents.summary import Summary, SummaryPart, SummaryTask
from longdoc.agents.summary_prompts import SummaryPrompts
from longdoc.agents.tree_plan import PlannedNode, SummaryPlan
from longdoc.engines.engine import Engine
from longdoc.errors import InvalidOutputError
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.nodes import Node, Nodes, NodeStatus


class NodeMaker(Protocol):
    """What is particular to a method: how one node is made from what was made before it."""

    async def make(self, node: PlannedNode, made: Mapping[int, Made], *, purpose: str) -> Made:
        """Make the text of a node, by calls. Raises what stops the run."""
        ...

    def material(self, node: PlannedNode, made: Mapping[int, Made]) -> Sequence[Quoted]:
        """The texts that a node is made from."""
        ...


async def carry_out(
    plan: SummaryPlan,
    maker: NodeMaker,
    *,
    engine: Engine,
    nodes: Nodes,
    task: SummaryTask,
    run_id: str,
    emit: Emit,
) -> Summary:
    """Make all nodes of a plan, storing each as it is done. Raises what `Summarizer.summarize` raises."""
    leaves = sum(node.segment is not None for node in plan.nodes)
    emit(Planned(len(plan.nodes), f"{leaves} segments, {plan.levels} levels, {len(plan.nodes)} summaries"))
    await nodes.keep_first(run_id, len(plan.nodes))
    work = _TreeWork(plan, maker, engine, nodes, task, run_id=run_id, emit=emit)
    await run_graph([node.dependencies for node in plan.nodes], work.make)
    return work.result()


class _TreeWork:
    """The making of one tree: what is done so far, and what becomes of it."""

    def __init__(
        self,
        plan: SummaryPlan,
        maker: NodeMaker,
        engine: Engine,
        nodes: Nodes,
        task: SummaryTask,
        *,
        run_id: str,
        emit: Emit,
    ) -> None:
        self._plan = plan
        self._maker = maker
        self._nodes = nodes
        self._task = task
        self._run_id = run_id
        self._emit = emit
        self._finisher = Finisher(engine, SummaryPrompts(task), emit=emit)
        self._made: dict[int, Made] = {}

    async def make(self, number: int) -> None:
        node = self._plan.nodes[number]
        made = await self._finished(node) if node.result else await self._make(node)
        self._made[number] = made
        await self._store(node, made)

    def result(self) -> Summary:
        root = self._made[self._plan.root.number]
        if not root.text:
            raise InvalidOutputError(
                f"no summary came of it: {root.reason}; 'lda runs show {self._run_id}' shows what was made"
            )
        gaps = [self._plan.nodes[i] for i, made in sorted(self._made.items()) if made.status is NodeStatus.GAP]
        parts = self._plan.root.children if self._plan.root.joined else (self._plan.root.number,)
        return Summary(
            node_id=self._node_id(self._plan.root.number),
            text=root.text,
            parts=tuple(self._part(number) for number in parts if self._made[number].text),
            levels=self._plan.levels,
            nodes=len(self._plan.nodes),
            gaps=tuple(self._describe_gap(node) for node in gaps),
            truncated=sum(made.status is NodeStatus.TRUNCATED for made in self._made.values()),
        )

    def _part(self, number: int) -> SummaryPart:
        return SummaryPart(self._node_id(number), self._plan.nodes[number].title, self._made[number].text)

    async def _make(self, node: PlannedNode) -> Made:
        if node.joined:
            return self._joined(node)
        if node.segment is None and not any(self._made[child].text for child in node.children):
            return gap("none of its parts could be summarized")
        return await self._maker.make(node, self._made, purpose=self._describe(node))

    async def _finished(self, node: PlannedNode) -> Made:
        purpose = self._describe(node)
        made = await self._make(node)
        if not made.text:
            return made
        made = await self._finisher.clean(made, limit=node.limit, purpose=purpose)
        if self._task.words is None:
            return made
        material = self._maker.material(node, self._made)
        return await self._finisher.hold_length(
            made, node.words, material=material, below=self._below(node), limit=node.limit, purpose=purpose
        )

    def _below(self, node: PlannedNode) -> Iterator[Sequence[str]]:
        """The texts of a node's children, then of their children, and so on."""
        numbers: Sequence[int] = node.children
        while numbers:
            yield [self._made[number].text for number in numbers]
            numbers = [child for number in numbers for child in self._plan.nodes[number].children]

    def _joined(self, node: PlannedNode) -> Made:
        parts = [self._made[child] for child in node.children if self._made[child].text]
        if not parts:
            return gap("none of its parts could be summarized")
        return Made(
            text="\n\n".join(part.text for part in parts),
            status=NodeStatus.DONE,
            tokens=sum(part.tokens for part in parts),
            sources=tuple(source for part in parts for source in part.sources),
            edited=True,
        )

    async def _store(self, node: PlannedNode, made: Made) -> None:
        row = Node(
            id=self._node_id(node.number),
            run_id=self._run_id,
            number=node.number,
            level=node.level,
            title=node.title,
            text=made.text,
            status=made.status,
            reason=made.reason,
            document_id=self._task.document.id,
            start=node.start,
            end=node.end,
            tokens=made.tokens,
            word_limit=node.words,
        )
        await self._nodes.save(row, children=[self._node_id(i) for i in node.children], calls=made.calls)
        self._emit(NodeDone(row.id, node.level, self._describe(node), made.status is NodeStatus.GAP))
        if made.status is NodeStatus.GAP:
            self._emit(Warned(f"{self._describe_gap(node)} could not be summarized: {made.reason}"))
        elif node.result and made.reason and not self._cut_to_length(node, made):
            self._emit(Warned(f"{self._describe(node)}: {made.reason}"))

    def _cut_to_length(self, node: PlannedNode, made: Made) -> bool:
        """Whether a text was cut and has the length asked for, which is as it should be."""
        held = self._task.words is not None and fits(made, node.words)
        return held and made.status is NodeStatus.TRUNCATED

    def _node_id(self, number: int) -> str:
        return f"{self._run_id}.{number}"

    def _describe(self, node: PlannedNode) -> str:
        if node.number == self._plan.root.number:
            return "the whole"
        if node.segment and node.children:
            return _titled(f"summary up to segment {node.segment.index + 1}", node)
        return self._describe_gap(node)

    def _describe_gap(self, node: PlannedNode) -> str:
        """What is missing where a node is a gap: of a running summary only the segment that was next."""
        return _titled(f"segment {node.segment.index + 1}" if node.segment else f"merge {node.number + 1}", node)


def _titled(kind: str, node: PlannedNode) -> str:
    return f"{kind} ({node.title})" if node.title else kind
