"""The Python face: conversations with a loop and without one."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

import longdoc
from longdoc import AsyncLongDoc, LongDoc
from longdoc.app.chat import ChatSession
from longdoc.errors import ConfigError, StorageError
from longdoc.memory.profile_ranking import Ranked
from longdoc.storage.profile_types import NewItem, Stored


def opened(path: Path) -> LongDoc:
    return LongDoc(engine="scripted", embedding_model="hashed", database=str(path / "record.db"))


def test_a_conversation_without_a_loop(tmp_path: Path) -> None:
    with opened(tmp_path) as lda:
        chat = lda.chat("alice")
        assert chat.send("My cat is called Kiki.").number == 1
        pieces = list(chat.stream("What is my cat called?"))
        assert len(pieces) > 1
        assert [memory.response for memory in chat.memories()][1] == "".join(pieces)
        assert chat.why()["policy"] == "full"
        assert [memory.number for memory, _ in chat.search("cat called", k=1)] in ([1], [2])
        assert chat.forget(1) == 1
        undone = chat.undo()
        assert undone is not None
        assert undone.number == 2
        assert lda.chat("bob").memories() == []
    with opened(tmp_path) as lda:
        assert lda.chat("alice").send("Hello again.").number == 3


def test_opening_it_twice_is_opening_it_once(tmp_path: Path) -> None:
    before = threading.active_count()
    with opened(tmp_path).start() as lda:
        thread, workspace = lda.thread, lda.inner.workspace
        assert lda.start().inner.workspace is workspace
        assert lda.chat("alice").send("Hello.").number == 1
        assert lda.thread is thread
    assert threading.active_count() == before


def test_what_is_told_on_the_way_cannot_ask_for_more(tmp_path: Path) -> None:
    with opened(tmp_path) as lda:

        def ask_again(event: object) -> None:
            lda.runs()

        chat = lda.chat("alice")
        with pytest.raises(ConfigError, match="when the call is over"):
            chat.send("Hello.", emit=ask_again)
        assert chat.send("Hello again.").text


def test_a_conversation_whose_documents_cannot_be_stored_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[ChatSession] = []
    close = ChatSession.aclose

    async def fail(session: ChatSession, documents: object) -> None:
        raise StorageError("the disk is full")

    async def noted(session: ChatSession) -> None:
        closed.append(session)
        await close(session)

    monkeypatch.setattr(ChatSession, "add", fail)
    monkeypatch.setattr(ChatSession, "aclose", noted)
    note = tmp_path / "note.md"
    note.write_text("The ferry leaves at nine.", encoding="utf-8")
    with opened(tmp_path) as lda:
        with pytest.raises(StorageError, match="full"):
            lda.chat("alice", documents=note)
        assert len(closed) == 1
    assert len(closed) == 1


def test_a_conversation_inside_a_running_loop(tmp_path: Path) -> None:
    async def notebook() -> int:
        with opened(tmp_path) as lda:
            return lda.chat("alice").send("Hello.").number

    assert asyncio.run(notebook()) == 1


def test_an_answer_that_nobody_listens_to_is_stopped_and_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncLongDoc(
            engine="scripted", embedding_model="hashed", database=str(tmp_path / "record.db")
        ) as lda:
            chat = await lda.chat("alice")
            stream = chat.stream("One two three four five.")
            assert await anext(stream)
            await stream.aclose()
            kept = [*await chat.memories(), *await chat.session.waiting()]
            assert [memory.observation for memory in kept] == ["One two three four five."]
            whole = [piece async for piece in chat.stream("And again.", key="k")]
            assert [piece async for piece in chat.stream("And again.", key="k")] == ["".join(whole)]

    asyncio.run(main())


def test_it_says_when_it_is_not_open() -> None:
    with pytest.raises(ConfigError, match="context manager"):
        asyncio.run(AsyncLongDoc().chat("alice"))
    with pytest.raises(ConfigError, match="context manager"):
        LongDoc().chat("alice")
    with pytest.raises(AttributeError):
        _ = longdoc.nothing  # pyright: ignore[reportAttributeAccessIssue]


def test_errors_come_through(tmp_path: Path) -> None:
    with opened(tmp_path) as lda:
        chat = lda.chat("alice")
        with pytest.raises(ConfigError, match="empty"):
            chat.send(" ")
        with pytest.raises(ConfigError, match="empty"):
            list(chat.stream(" "))


def test_a_user_without_a_loop(tmp_path: Path) -> None:
    with opened(tmp_path) as lda:
        ann = lda.user("ann")
        news = [NewItem("title", str(n), f"How we built house {n}.", f"Fix: house {n}") for n in range(4)]
        assert ann.put(news) == [Stored.ADDED] * 4
        assert ann.refresh().made == 1
        assert ann.summary("title") is not None
        context = ann.context("How we built house 2.", task="title", ranked=Ranked.FUSED)
        assert context.summary
        assert [one.item.key for one in context.items] == ["2"]
        assert ann.ask("How we built a boat.", task="title").context.personal
        assert len(ann.items("title")) == 4
        with pytest.raises(ConfigError, match="no task"):
            ann.ask("a", task="none")
        ann.forget()
        assert lda.user("ann").items() == []
