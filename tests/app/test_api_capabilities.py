"""The capabilities in the Python face, with a loop and without one: results, events, and how they are stopped."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import fields
from pathlib import Path

import pytest

import longdoc
from longdoc import AsyncLongDoc, Budget, Capability, Document, NewItem
from longdoc.agents.events import CallFinished, Event, Planned
from longdoc.app import api_keywords
from longdoc.app.api_work import Work
from longdoc.app.chat import ChatOptions
from longdoc.app.draft_settings import DraftOptions
from longdoc.app.finding import AskOptions
from longdoc.app.orchestrator import DoRequest
from longdoc.app.personalize import PersonalRequest
from longdoc.app.summaries import SummaryOptions, SummaryResult
from longdoc.errors import BudgetExceededError, ConfigError, DocumentError, LdaError, NotFoundError
from longdoc.storage.runs import RunStatus
from tests.app.api_records import book_in, face, letters, sync_face

SLOW = 3600.0
"""Seconds that a call takes in tests of what is stopped before."""


def others() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@pytest.mark.parametrize(
    ("keywords", "options", "without"),
    [
        (api_keywords.SummaryKeywords, SummaryOptions, set[str]()),
        (api_keywords.AskKeywords, AskOptions, set[str]()),
        (api_keywords.DraftKeywords, DraftOptions, set[str]()),
        (api_keywords.ChatKeywords, ChatOptions, set[str]()),
        (api_keywords.PersonalKeywords, PersonalRequest, {"task", "text"}),
        (api_keywords.DoKeywords, DoRequest, {"instruction", "documents"}),
    ],
)
def test_keywords_are_the_fields_of_their_options(keywords: type, options: type, without: set[str]) -> None:
    assert set(keywords.__annotations__) == {field.name for field in fields(options)} - without


def test_everything_that_is_exported_is_there() -> None:
    assert set(longdoc.__all__) <= set(dir(longdoc))
    assert all(getattr(longdoc, name) is not None for name in longdoc.__all__)


def test_each_capability_gives_text_run_and_usage(tmp_path: Path) -> None:
    [letter] = letters(tmp_path, 1)
    with sync_face(tmp_path) as lda:
        results = [
            lda.summarize(letter, words=20),
            lda.ask("When does the ferry leave?", letter),
            lda.check("The ferry leaves at nine.", letter),
            lda.write("a 60 word note about ferries", letter),
            lda.personalize("ann", "How the ferry sank", task="title"),
            lda.do("Summarize this in 20 words", letter),
        ]
        for result in results:
            assert result.text
            assert lda.run(result.run_id).run.status.finished
            assert result.usage.calls + result.usage.recorded > 0
            assert result.row()["run_id"] == result.run_id
        kinds = {one.run.id: one for one in lda.runs()}
        assert {result.run_id for result in results} <= set(kinds)
        assert kinds[results[0].run_id].totals.calls == results[0].usage.calls
        node = lda.node(results[0].run_id)
        assert node.node.text == results[0].text
        assert node.calls
        with pytest.raises(NotFoundError):
            lda.run("nothing")


def test_documents_are_paths_or_read_before_or_a_collection(tmp_path: Path) -> None:
    one, two = letters(tmp_path, 2)
    with sync_face(tmp_path) as lda:
        read = lda.open(str(one))
        assert isinstance(read, Document)
        assert lda.open(read) is read
        assert lda.open(one.read_bytes(), name="letter.md").id == read.id
        answers = [lda.ask("When?", one), lda.ask("When?", read), lda.ask("When?", iter([str(one)]))]
        assert len({answer.run_id for answer in answers}) == 1
        assert lda.collect("post", [one, two]).new == 2
        assert lda.ask("When does ferry 1 leave?", collection="post").run_id
        with pytest.raises(ConfigError, match="not both"):
            lda.ask("When?", one, collection="post")
        with pytest.raises(ConfigError, match="name a document"):
            lda.check("It sank.")
        with pytest.raises(NotFoundError):
            lda.ask("When?", collection="none")
        with pytest.raises(DocumentError, match="address on the net"):
            lda.open("https://example.org/book.epub")


def test_what_cannot_work_is_said_before_anything_begins(tmp_path: Path) -> None:
    with sync_face(tmp_path) as lda:
        with pytest.raises(ConfigError, match="no method"):
            lda.summarize("book.epub", method="magic")
        with pytest.raises(ConfigError, match="question is empty"):
            lda.ask(" ", "book.epub")
        with pytest.raises(ConfigError, match="what you claim"):
            lda.check([], "book.epub")
        with pytest.raises(ConfigError, match="no capability"):
            lda.do("Do it", capability="magic")  # type: ignore[arg-type]
        assert lda.runs() == []
    with pytest.raises(ConfigError, match="context manager"):
        lda.summarize("book.epub")
    with pytest.raises(ConfigError, match="context manager"):
        _ = AsyncLongDoc().workspace


def test_opened_and_closed_by_hand_as_in_a_notebook(tmp_path: Path) -> None:
    before = threading.active_count()
    lda = sync_face(tmp_path).start()
    chat = lda.chat("alice")
    assert chat.send("Hello.").number == 1
    lda.close()
    assert threading.active_count() == before
    with pytest.raises(ConfigError, match="context manager"):
        chat.send("Are you there?")


def test_a_conversation_about_documents(tmp_path: Path) -> None:
    one, two = letters(tmp_path, 2)
    with sync_face(tmp_path) as lda:
        chat = lda.chat("alice", documents=one, system="Be brief.")
        assert chat.send("When does the ferry leave?").text
        chat.add(two)
        heard: list[Event] = []
        chat.send("And the other?", emit=heard.append)
        assert heard


def test_a_plan_is_looked_at_and_carried_out(tmp_path: Path) -> None:
    [letter] = letters(tmp_path, 1)
    with sync_face(tmp_path) as lda:
        plan = lda.plan("Say what this is about", letter, capability=Capability.SUMMARIZE)
        assert [step.route.capability for step in plan.steps] == [Capability.SUMMARIZE]
        done = lda.carry_out(plan)
        assert done.text
        assert lda.do("Say what this is about", letter, capability="summarize").text == done.text  # type: ignore[arg-type]


def test_events_come_before_the_result_in_order(tmp_path: Path) -> None:
    book = book_in(tmp_path)

    async def main() -> None:
        async with face(tmp_path) as lda:
            told: list[Event] = []
            work = lda.summarize(book, words=60, emit=told.append)
            heard = [event async for event in work]
            summary = await work
            assert heard == told
            assert isinstance(heard[0], Planned)
            assert sum(isinstance(event, CallFinished) for event in heard) == summary.usage.calls
            assert [event async for event in work] == []
            assert await work is summary

    asyncio.run(main())


def test_pieces_of_an_answer_are_heard_as_it_is_written(tmp_path: Path) -> None:
    [letter] = letters(tmp_path, 1)
    pieces: list[str] = []
    with sync_face(tmp_path) as lda:
        draft = lda.write("a 60 word note about ferries", letter, on_text=pieces.append)
    assert len(pieces) > 1
    assert "".join(pieces).split()[0] == draft.text.split()[0]


def test_an_error_is_raised_where_it_is_awaited_and_after_the_events(tmp_path: Path) -> None:
    async def main() -> None:
        async with face(tmp_path) as lda:
            work = lda.summarize(tmp_path / "missing.epub")
            with pytest.raises(DocumentError, match="no such file"):
                _ = [event async for event in work]
            with pytest.raises(DocumentError, match="no such file"):
                await work

    asyncio.run(main())


def test_several_at_once(tmp_path: Path) -> None:
    one, two = letters(tmp_path, 2)

    async def main() -> None:
        async with face(tmp_path) as lda:
            gathered = await asyncio.gather(lda.summarize(one, words=20), lda.summarize(two, words=20))
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(lda.summarize(path, words=20).result()) for path in (one, two)]
            assert [task.result().text for task in tasks] == [result.text for result in gathered]

    asyncio.run(main())


async def stopped_after_a_call(lda: AsyncLongDoc, book: Path) -> Work[SummaryResult]:
    """A summary under way, of which a call or more is answered."""
    work = lda.summarize(book, words=60, segment_tokens=400)
    async for event in work:
        if isinstance(event, CallFinished):
            break
    return work


def test_what_is_cancelled_leaves_nothing_running_and_keeps_what_was_paid_for(tmp_path: Path) -> None:
    book = book_in(tmp_path)

    async def main() -> None:
        async with face(tmp_path) as lda:
            work = await stopped_after_a_call(lda, book)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert not others()
            [stopped] = await lda.runs()
            assert stopped.run.status is RunStatus.INTERRUPTED
            assert stopped.totals.calls
            summary = await lda.summarize(book, words=60, segment_tokens=400)
            assert summary.usage.recorded >= stopped.totals.calls
            [done] = await lda.runs()
            assert done.run.status is RunStatus.DONE
            assert done.totals.calls == stopped.totals.calls + summary.usage.calls

    asyncio.run(main())


def test_leaving_the_context_or_closing_stops_what_is_under_way(tmp_path: Path) -> None:
    book = book_in(tmp_path)

    async def main() -> None:
        async with face(tmp_path) as lda:
            async with lda.summarize(book, words=60, segment_tokens=400) as work:
                assert isinstance(await anext(work), Planned)
            assert not others()
            left = await stopped_after_a_call(lda, book)
        assert not others()
        with pytest.raises(asyncio.CancelledError):
            await left
        async with face(tmp_path) as lda:
            [run] = await lda.runs()
            assert run.run.status is RunStatus.INTERRUPTED

    asyncio.run(main())


def test_who_is_cancelled_while_listening_stops_the_work(tmp_path: Path) -> None:
    [letter] = letters(tmp_path, 1)

    async def listen(lda: AsyncLongDoc, begun: asyncio.Event) -> None:
        async for _ in lda.summarize(letter, words=20):
            begun.set()

    async def main() -> None:
        async with face(tmp_path, scripted_delay=SLOW) as lda:
            for work in (
                listen,
                lambda lda, begun: lda.summarize(letter, words=20, emit=lambda _: begun.set()).result(),
            ):
                begun = asyncio.Event()
                listening = asyncio.ensure_future(work(lda, begun))
                await begun.wait()
                listening.cancel()
                await asyncio.wait([listening])
                assert listening.cancelled()
                assert not others()

    asyncio.run(main())


def test_a_budget_is_over_everything_that_is_asked(tmp_path: Path) -> None:
    one, two = letters(tmp_path, 2)
    with sync_face(tmp_path, budget=Budget(max_calls=1)) as lda:
        assert lda.ask("When?", one).text
        assert lda.ask("When?", one).usage.recorded == 1
        with pytest.raises(BudgetExceededError):
            lda.ask("When?", two)


def test_a_user_is_written_for(tmp_path: Path) -> None:
    with sync_face(tmp_path) as lda:
        ann = lda.user("ann")
        ann.put([NewItem("title", str(n), f"How we built house {n}.", f"Fix: house {n}") for n in range(4)])
        ann.refresh()
        made = lda.personalize("ann", "How we built a boat.", task="title", take=2)
        assert len(made.context.items) == 2
        assert made.context.summary
        assert lda.do("Write a 50 word note about boats", user="ann").text
        with pytest.raises(LdaError, match="no task"):
            lda.personalize("ann", "A boat", task="none")
