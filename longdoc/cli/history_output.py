"""Runs and nodes as tables, trees and JSON."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from longdoc.app.answer_records import StoredSelection
from longdoc.app.history import NodeDetails, RunDetails, RunSummary
from longdoc.cli.output import envelope
from longdoc.cli.render import show_trees, table
from longdoc.cli.source_notes import SourceNotes, sentences_json
from longdoc.json_value import JsonValue
from longdoc.storage.ledger import CallTotals
from longdoc.storage.nodes import Node, NodeStatus
from longdoc.storage.runs import Run

_COLUMNS = ("run", "what", "title", "status", "calls", "tokens", "cost", "started")


def print_runs(rows: Sequence[RunSummary]) -> None:
    """A table of runs."""
    table(_COLUMNS, [_row(row.run, row.totals) for row in rows])


def print_run(details: RunDetails) -> None:
    """A run with its trees."""
    table(_COLUMNS, [_row(details.run, details.totals)])
    asked = " ".join(f"{key}={value}" for key, value in details.run.parameters.items() if value is not None)
    typer.echo(f"asked: {asked} · model: {details.run.model}")
    if details.run.error:
        typer.echo(f"error: {details.run.error}")
    show_trees(details)


def print_node(details: NodeDetails, *, source: bool) -> None:
    """A node with its text, its children, and its source when asked for."""
    typer.echo(_headline(details.node))
    typer.echo(f"\n{_marked(details) or '(nothing: ' + details.node.reason + ')'}\n")
    if details.selection is not None:
        _print_selection(details.selection)
    if details.children:
        typer.echo("made from:")
        for child in details.children:
            typer.echo(f"  {_headline(child)}")
    for call in details.calls:
        usage = call.completion.usage
        typer.echo(
            f"call {call.id}: {call.prompt_name}.v{call.prompt_version}, "
            f"{usage.prompt_tokens} + {usage.completion_tokens} tokens, {call.completion.seconds:.1f} s"
        )
    if source:
        typer.echo(f"\nsource:\n\n{details.source}")


def _print_selection(selection: StoredSelection) -> None:
    """How an answer was found, and the words that it rests on."""
    typer.echo(f"{selection.strategy}: {selection.reason}")
    for claim in selection.answer.claims:
        typer.echo(f"  {claim.text}")
        for citation in claim.citations:
            where = ", ".join(filter(None, [citation.title, *citation.section]))
            typer.echo(f"    “{citation.quote}” ({where}, characters {citation.start:,}–{citation.end:,})")


def _marked(details: NodeDetails) -> str:
    """The text with marks and footnotes on what its sentences rest on, where that was traced."""
    if details.document is None or not details.sentences:
        return details.node.text
    notes = SourceNotes(details.document)
    marked = notes.marked(details.node.text, details.sentences)
    return "\n".join([marked, "", *notes.lines()])


def runs_json(rows: Sequence[RunSummary]) -> str:
    """The envelope of `lda runs list`."""
    return envelope("runs list", "done", runs=[_run(row.run, row.totals) for row in rows])


def run_json(details: RunDetails) -> str:
    """The envelope of `lda runs show`."""
    nodes: list[JsonValue] = [
        {**_node(tree_node.node), "children": list(tree_node.children)} for tree_node in details.nodes
    ]
    return envelope("runs show", "done", run=_run(details.run, details.totals), nodes=nodes)


def node_json(details: NodeDetails, *, source: bool) -> str:
    """The envelope of `lda show`."""
    content: dict[str, JsonValue] = {
        "node": _node(details.node),
        "children": [_node(child) for child in details.children],
        "calls": [call.id for call in details.calls],
        "sentences": []
        if details.document is None
        else sentences_json(details.node.text, details.sentences, details.document),
    }
    if details.selection is not None:
        content["selection"] = details.selection.model_dump(mode="json")
    if source:
        content["source"] = details.source
    return envelope("show", "done", **content)


def _row(run: Run, totals: CallTotals) -> tuple[str, ...]:
    return (
        run.id,
        run.kind,
        run.title,
        run.status,
        str(totals.calls + totals.recorded),
        f"{totals.usage.total_tokens:,}",
        f"${totals.cost:.4f}",
        f"{run.started_at.astimezone():%Y-%m-%d %H:%M}",
    )


def _headline(node: Node) -> str:
    kind = "segment" if node.level == 0 else f"level {node.level}"
    place = "" if node.start is None else f" ({kind}, characters {node.start}-{node.end})"
    title = f" {node.title}" if node.title else ""
    mark = "" if node.status is NodeStatus.DONE else f" [{node.status}: {node.reason}]"
    return f"{node.id}{place}{title}{mark}"


def _run(run: Run, totals: CallTotals) -> JsonValue:
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title,
        "status": run.status,
        "model": run.model,
        "parameters": dict(run.parameters),
        "documents": list(run.document_ids),
        "started_at": run.started_at.isoformat(),
        "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
        "result_node": run.result_node,
        "error": run.error,
        "calls": totals.calls,
        "recorded": totals.recorded,
        "prompt_tokens": totals.usage.prompt_tokens,
        "completion_tokens": totals.usage.completion_tokens,
        "cost": totals.cost,
    }


def _node(node: Node) -> dict[str, JsonValue]:
    return {
        "id": node.id,
        "level": node.level,
        "title": node.title,
        "status": node.status,
        "reason": node.reason,
        "text": node.text,
        "document": node.document_id,
        "start": node.start,
        "end": node.end,
        "tokens": node.tokens,
        "word_limit": node.word_limit,
    }
