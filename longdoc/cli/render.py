"""Tables, trees and bars of downloads drawn with Rich, and the lines that stand for them in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.tree import Tree

from longdoc.app.doctor import Check, Verdict
from longdoc.app.history import RunDetails, TreeNode
from longdoc.app.runs import RunUsage
from longdoc.storage.nodes import Node, NodeStatus

_EXCERPT = 90
_MOST_LEVELS = 50
_LEVEL_WIDTH = 4
_LEAST_LABEL_WIDTH = 40
_PIPE_LABEL_WIDTH = 1000
"""In a pipe there is no edge to cut labels at."""


def stderr_console() -> Console:
    """Where progress, usage and warnings go."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def stdout_console() -> Console:
    """Where tables that were asked for go."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def notifier(*, quiet: bool) -> Callable[[str], None]:
    """A function that prints lines on standard error, or nothing."""
    console = stderr_console()

    def notify(line: str) -> None:
        if not quiet:
            console.print(line, markup=False)

    return notify


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: ruled on a terminal, tab-separated in a pipe. What stands in it is no markup."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            sys.stdout.write("\t".join(row) + "\n")
        return
    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*map(escape, row))
    stdout_console().print(drawn)


def show_check(check: Check) -> None:
    """Print one check of the doctor."""
    colours = {Verdict.WELL: "green", Verdict.LIMITED: "yellow", Verdict.FAILED: "red"}
    console = stdout_console()
    console.print(f"[{colours[check.verdict]}]{check.verdict:<8}[/] {check.name:<12} {escape(check.detail)}")
    if check.advice:
        console.print(f"{'':<21} -> {escape(check.advice)}")


def show_trees(details: RunDetails) -> None:
    """Print the nodes of a run as trees, down to 50 levels or as many as the terminal has room for.

    A node that several were made from is drawn below one of them.
    """
    console = stdout_console()
    if not console.is_terminal:
        console.width = _MOST_LEVELS * _LEVEL_WIDTH + _PIPE_LABEL_WIDTH
    room = (console.width - _LEAST_LABEL_WIDTH) // _LEVEL_WIDTH
    by_id = {tree_node.node.id: tree_node for tree_node in details.nodes}
    drawn: set[str] = set()
    for root in details.roots:
        console.print(_tree(root, by_id, drawn, levels=min(_MOST_LEVELS, max(2, room))))


def _tree(root: TreeNode, by_id: Mapping[str, TreeNode], drawn: set[str], *, levels: int) -> Tree:
    """The tree of a root, without what is drawn already; built without recursion, a chain may be thousands long."""
    tree = Tree(_label(root.node))
    waiting = [(tree, root, 1)]
    while waiting:
        branch, tree_node, level = waiting.pop()
        children = _take_children(tree_node, by_id, drawn)
        if level < levels:
            waiting.extend((branch.add(_label(child.node)), child, level + 1) for child in children)
        elif children:
            branch.add(f"… {_count(children, by_id, drawn):,} more below")
    return tree


def _take_children(tree_node: TreeNode, by_id: Mapping[str, TreeNode], taken: set[str]) -> list[TreeNode]:
    children = [by_id[child] for child in dict.fromkeys(tree_node.children) if child not in taken]
    taken.update(child.node.id for child in children)
    return children


def _count(top: Iterable[TreeNode], by_id: Mapping[str, TreeNode], taken: set[str]) -> int:
    """How many nodes these are with all that is below them."""
    waiting, count = list(top), 0
    while waiting:
        count += 1
        waiting.extend(_take_children(waiting.pop(), by_id, taken))
    return count


def _label(node: Node) -> str:
    text = node.text or f"nothing: {node.reason}"
    excerpt = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rsplit(' ', 1)[0]} …"
    mark = "" if node.status is NodeStatus.DONE else f" [yellow]{node.status}[/yellow]"
    title = f" [bold]{escape(node.title)}[/bold]" if node.title else ""
    return f"[cyan]{node.id}[/cyan]{title}{mark} {escape(' '.join(excerpt.split()))}"


def usage_line(usage: RunUsage) -> str:
    """One line on what a run took this time."""
    tokens = f"{usage.tokens.prompt_tokens:,} + {usage.tokens.completion_tokens:,} tokens"
    parts = [f"{usage.calls} calls made, {usage.recorded} from the record", tokens]
    if usage.retries:
        parts.append(f"{usage.retries} retries")
    if usage.cost:
        parts.append(f"${usage.cost:.4f}")
    parts.append(f"{usage.seconds:.1f} s")
    return " · ".join(parts)


@contextmanager
def download_view(*, quiet: bool) -> Generator[DownloadView, None, None]:
    """A view of downloads: bars on a terminal, nothing in a pipe."""
    view = DownloadView(quiet=quiet)
    try:
        yield view
    finally:
        view.stop()


class DownloadView:
    """Progress of model downloads; started by the first byte."""

    def __init__(self, *, quiet: bool) -> None:
        console = stderr_console()
        self._on = not quiet and console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def show(self, name: str, done: int, total: int | None) -> None:
        """So many bytes of a file are here."""
        if not self._on:
            return
        if not self._progress.tasks:
            self._progress.add_task(name, total=total)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], completed=done, total=total)

    def stop(self) -> None:
        """Take the bars away."""
        if self._progress.tasks:
            self._progress.stop()
