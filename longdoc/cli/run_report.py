"""A stored run as an HTML report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from longdoc.agents.sentences import count_words
from longdoc.app.history import RunDetails, RunReport, TreeNode
from longdoc.app.methods import MethodChoice
from longdoc.cli.report import Report, ReportNode, ReportSection, ReportSentence, report_html
from longdoc.documents.document import Section
from longdoc.storage.supports import NodeSupport


def report_page(run: RunReport, *, method: MethodChoice | None = None) -> str:
    """The page of a finished run; `method` tells why it was made as it was, where that is known."""
    details, document, supports = run.details, run.document, run.supports
    root = details.run.result_node or details.nodes[-1].node.id
    report = Report(
        title=document.title,
        creators=document.metadata.creators,
        source=document.source,
        document_text=document.text,
        sections=tuple(_sections(document.sections, 0)),
        nodes=tuple(_node(tree_node, supports.get(tree_node.node.id)) for tree_node in details.nodes),
        root=root,
        facts=tuple(_facts(details, root, method)),
        language=document.metadata.language,
    )
    return report_html(report)


def _node(tree_node: TreeNode, support: NodeSupport | None) -> ReportNode:
    node = tree_node.node
    sentences = () if support is None else support.sentences
    return ReportNode(
        id=node.id,
        level=node.level,
        title=node.title,
        status=str(node.status),
        reason=node.reason,
        text=node.text,
        start=node.start,
        end=node.end,
        children=tree_node.children,
        sentences=tuple(ReportSentence(s.start, s.end, s.score, s.supported, s.spans, s.children) for s in sentences),
    )


def _sections(sections: Sequence[Section], depth: int) -> Iterator[ReportSection]:
    for section in sections:
        yield ReportSection(section.title, section.start, section.end, depth)
        yield from _sections(section.children, depth + 1)


def _facts(details: RunDetails, root: str, method: MethodChoice | None) -> Iterator[tuple[str, str]]:
    run, totals = details.run, details.totals
    text = next((tree_node.node.text for tree_node in details.nodes if tree_node.node.id == root), "")
    name = str(run.parameters.get("method", ""))
    yield "Method", name if method is None else f"{name}: {method.reason}"
    yield "Model", run.model
    yield "Run", run.id
    yield "Words", f"{count_words(text):,}"
    yield "Summaries", f"{len(details.nodes):,}"
    yield "Calls", f"{totals.calls + totals.recorded:,}"
    yield "Tokens", f"{totals.usage.prompt_tokens:,} read, {totals.usage.completion_tokens:,} written"
    yield "Cost", f"${totals.cost:.4f}"
    if run.finished_at is not None:
        yield "Finished", f"{run.finished_at:%Y-%m-%d %H:%M} UTC"
