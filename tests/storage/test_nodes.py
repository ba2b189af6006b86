import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from longdoc.documents.document import Document
from longdoc.errors import NotFoundError, StorageError
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.nodes import Node, Nodes, NodeStatus
from longdoc.storage.runs import RunRequest, Runs


@asynccontextmanager
async def _run(location: str) -> AsyncGenerator[tuple[Nodes, str], None]:
    database = await Database.open(location)
    try:
        await Documents(database).save(Document(id="d", text="text", format="txt"))
        run = await Runs(database).start(RunRequest("summarize", "A book", ("d",), {}, "m"))
        yield Nodes(database), run.id
    finally:
        await database.aclose()


def _node(run_id: str, number: int) -> Node:
    return Node(
        id=f"{run_id}.{number}",
        run_id=run_id,
        number=number,
        level=0,
        title="I. A night\0",
        text="What happened: \ud800 nothing.",
        status=NodeStatus.TRUNCATED,
        reason="cut to fit",
        document_id="d",
        start=0,
        end=4,
        tokens=7,
        word_limit=100,
    )


def test_a_node_is_loaded_as_it_was_saved(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, run_id):
            await nodes.save(_node(run_id, 3))
            loaded = await nodes.get(f"{run_id}.3")
            assert loaded == _node(run_id, 3)
            assert loaded.created_at is not None

    asyncio.run(work())


def test_children_come_in_their_order_and_nodes_of_a_run_by_number(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, run_id):
            for number in (2, 0, 1):
                await nodes.save(_node(run_id, number))
            await nodes.save(_node(run_id, 3), children=[f"{run_id}.{number}" for number in (1, 2, 0)])
            assert [node.number for node in await nodes.children(f"{run_id}.3")] == [1, 2, 0]
            assert await nodes.children(f"{run_id}.0") == ()
            assert [node.number for node in await nodes.of_run(run_id)] == [0, 1, 2, 3]

    asyncio.run(work())


def test_edges_come_by_parent_and_in_the_order_of_children(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, run_id):
            names = [f"{run_id}.{number}" for number in range(11)]
            for number in (0, 1, 2, 3):
                await nodes.save(_node(run_id, number))
            await nodes.save(_node(run_id, 10), children=[names[3], names[2]])
            await nodes.save(_node(run_id, 9), children=[names[1], names[10], names[0]])
            assert await nodes.edges(run_id) == (
                (names[9], names[1]), (names[9], names[10]), (names[9], names[0]),
                (names[10], names[3]), (names[10], names[2]),
            )  # fmt: skip
            assert await nodes.edges("unknown") == ()

    asyncio.run(work())


def test_only_the_first_nodes_of_a_run_are_kept(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, run_id):
            for number in range(3):
                await nodes.save(_node(run_id, number), children=[f"{run_id}.{i}" for i in range(number)])
            await nodes.keep_first("unknown", 0)
            await nodes.keep_first(run_id, 2)
            assert [node.number for node in await nodes.of_run(run_id)] == [0, 1]
            assert await nodes.edges(run_id) == ((f"{run_id}.1", f"{run_id}.0"),)

    asyncio.run(work())


def test_saving_again_replaces_a_node_and_keeps_when_it_was_made(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, run_id):
            await nodes.save(_node(run_id, 0))
            await nodes.save(_node(run_id, 1), children=[f"{run_id}.0"])
            before = await nodes.get(f"{run_id}.1")
            await nodes.save(replace(_node(run_id, 1), text="better"), children=[])
            after = await nodes.get(f"{run_id}.1")
            assert (after.text, after.created_at) == ("better", before.created_at)
            assert await nodes.children(f"{run_id}.1") == ()

    asyncio.run(work())


def test_a_node_without_its_child_is_refused_and_leaves_nothing(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, run_id):
            with pytest.raises(StorageError, match="refuses the change"):
                await nodes.save(_node(run_id, 1), children=[f"{run_id}.0"])
            assert await nodes.of_run(run_id) == ()

    asyncio.run(work())


def test_an_unknown_node_is_not_found(database: str) -> None:
    async def work() -> None:
        async with _run(database) as (nodes, _):
            with pytest.raises(NotFoundError, match=r"there is no node 'x\.1'"):
                await nodes.get("x.1")

    asyncio.run(work())
