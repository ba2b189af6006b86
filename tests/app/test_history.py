"""Looking back on runs, over a real record."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from longdoc.app.bootstrap import Records, open_records
from longdoc.app.history import RunDetails, run_details, run_summaries
from longdoc.cli.history_output import print_run, run_json
from longdoc.config import Settings
from longdoc.documents.document import Document
from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, Message, Usage
from longdoc.storage.ledger import CallTotals
from longdoc.storage.nodes import Node
from longdoc.storage.runs import Run, RunRequest

_LONG = 3000
"""More than Python's stack is deep."""


def _with_records(path: Path, work: Callable[[Records], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_records(Settings(database=str(path / "record.db"))) as records:
            await records.documents.save(Document(id="d", text="text", format="txt"))
            await work(records)

    asyncio.run(main())


async def _start(records: Records, kind: str = "summarize") -> Run:
    return await records.runs.start(RunRequest(kind, "A book", ("d",), {}, "m"))


async def _save(records: Records, run: Run, children: dict[int, tuple[int, ...]]) -> None:
    await asyncio.gather(
        *(
            records.nodes.save(
                Node(f"{run.id}.{number}", run.id, number, 0, "", f"Text {number}."),
                children=[f"{run.id}.{child}" for child in below],
            )
            for number, below in children.items()
        )
    )


def _details(path: Path, children: dict[int, tuple[int, ...]]) -> RunDetails:
    """A run with these nodes, as it is looked up."""
    found: list[RunDetails] = []

    async def work(records: Records) -> None:
        run = await _start(records)
        await _save(records, run, children)
        found.append(await run_details(records, run.id))

    _with_records(path, work)
    return found[0]


def _chain(length: int) -> dict[int, tuple[int, ...]]:
    return {number: (number - 1,) if number else () for number in range(length)}


def _drawn(details: RunDetails, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_run(details)
    return [line for line in capsys.readouterr().out.splitlines() if "Text" in line or "more below" in line]


def test_nodes_are_told_by_number_with_their_children_in_order(tmp_path: Path) -> None:
    details = _details(tmp_path, {0: (), 1: (), 2: (1, 0), 3: (), 4: ()})
    run = details.run.id
    assert [tree_node.node.number for tree_node in details.nodes] == [0, 1, 2, 3, 4]
    assert details.nodes[2].children == (f"{run}.1", f"{run}.0")
    assert [root.node.number for root in details.roots] == [2, 3, 4]


def test_the_json_of_a_run_lists_its_nodes_flat(tmp_path: Path) -> None:
    details = _details(tmp_path, _chain(_LONG))
    nodes = json.loads(run_json(details))["nodes"]
    assert [node["id"] for node in nodes] == [tree_node.node.id for tree_node in details.nodes]
    assert nodes[0]["children"] == []
    assert nodes[-1]["children"] == [f"{details.run.id}.{_LONG - 2}"]


def test_a_long_chain_is_drawn_down_to_fifty_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _drawn(_details(tmp_path, _chain(_LONG)), capsys)
    assert len(lines) == 51
    assert lines[49].endswith(f"Text {_LONG - 50}.")
    assert lines[50].endswith("… 2,950 more below")


def test_trees_are_drawn_in_the_order_of_children(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _drawn(_details(tmp_path, {0: (), 1: (), 2: (1, 0), 3: (), 4: (2, 3), 5: ()}), capsys)
    assert [int(line.rpartition(" ")[2].rstrip(".")) for line in lines] == [4, 2, 1, 0, 3, 5]


def test_what_several_nodes_were_made_from_is_drawn_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = {0: ()} | {number: (number - 1, number - 1 - (number > 1)) for number in range(1, 40)}
    assert len(_drawn(_details(tmp_path, shared), capsys)) == 40


def test_each_run_is_listed_with_what_it_took(tmp_path: Path) -> None:
    async def work(records: Records) -> None:
        with_call, without = await _start(records, "ask"), await _start(records, "chat")
        request = CompletionRequest((Message("user", "Why?"),), 10)
        answer = Completion("So.", FinishReason.STOP, Usage(3, 1), "m")
        await records.ledger.record("k", request, answer, EngineInfo("e", "m", "m", 1000), run_id=with_call.id)
        took = {row.run.id: row.totals for row in await run_summaries(records)}
        assert took == {with_call.id: CallTotals(1, 0, Usage(3, 1), 0.0), without.id: CallTotals()}

    _with_records(tmp_path, work)
