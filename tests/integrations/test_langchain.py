"""Our components for LangChain, beyond what its own suites ask: places, citations, files, memories, bounds."""

import asyncio
import base64
import threading
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from longdoc import AsyncLongDoc, LongDoc
from longdoc.app.api_capabilities import Capabilities
from longdoc.app.message_reading import Reading
from longdoc.engines.budget import Budget
from longdoc.engines.engine import Completion, FinishReason, Usage
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import BudgetExceededError, ConfigError
from longdoc.integrations.desk import Desk
from longdoc.integrations.langchain import ChatLongDoc, LongDocChatHistory, LongDocRetriever, longdoc_tools
from longdoc.integrations.langchain.messages import read_chat
from tests.integrations.opened import HAY, NEEDLE, QUESTION, book, opened


@pytest.fixture(scope="module")
def lda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongDoc]:
    with opened(tmp_path_factory.mktemp("langchain")) as longdoc:
        yield longdoc


def test_a_retriever_tells_where_what_it_found_stands(lda: LongDoc) -> None:
    document = book()
    found = LongDocRetriever(lda=lda, documents=document, k=2).invoke(QUESTION)
    best = next(one for one in found if NEEDLE in one.page_content)
    told = best.metadata
    assert document.text[told["start"] : told["end"]] == best.page_content
    assert (told["document"], told["title"]) == (document.id, document.title)
    assert "Chapter 3" in told["section"]
    assert 0 < told["score"] <= 1


def test_a_retriever_searches_a_collection(lda: LongDoc) -> None:
    lda.collect("shelf", [book("One"), book("Two")])
    found = LongDocRetriever(lda=lda, collection="shelf", k=8).invoke("Day 3 in Two")
    assert {one.metadata["title"] for one in found} <= {"One.md", "Two.md"}
    assert len(found) == 8


def test_components_are_awaited_on_the_loop_of_an_async_longdoc(tmp_path: Path) -> None:
    async def main() -> None:
        settings = {"engine": "scripted", "embedding_model": "hashed", "database": str(tmp_path / "record.db")}
        async with AsyncLongDoc(**settings) as longdoc:
            retriever = LongDocRetriever(lda=longdoc, documents=book(), k=1)
            assert len(await retriever.ainvoke(QUESTION)) == 1
            pieces = [piece async for piece in ChatLongDoc(lda=longdoc).astream("Hello there.")]
            assert pieces[-1].chunk_position == "last"
            with pytest.raises(ConfigError, match="await it there"):
                retriever.invoke(QUESTION)

    asyncio.run(main())


def test_a_chat_model_answers_about_a_long_message_with_citations(lda: LongDoc) -> None:
    long = HAY * 400 + NEEDLE + HAY * 400
    answer = ChatLongDoc(lda=lda).invoke(f"{long}\n\n{QUESTION}")
    assert answer.text
    assert answer.response_metadata["route"] == ["ask"]
    assert answer.response_metadata["run_id"]
    for one in answer.response_metadata["citations"]:
        assert one["quote"] in long
    assert answer.usage_metadata is not None


def read(messages: list[BaseMessage], **given: Any) -> Reading:
    return asyncio.run(read_chat(messages, **given))


def test_messages_are_read_as_turns_and_documents() -> None:
    data = base64.b64encode(book().text.encode()).decode()
    file = {"type": "file", "base64": data, "mime_type": "text/plain", "filename": "skerry.txt"}
    request = read(
        [
            SystemMessage("Be short."),
            HumanMessage([file, {"type": "text", "text": "Who keeps the light?"}]),
            AIMessage("Anna. [1]\n\n[1] Skerry: “Anna”"),
            HumanMessage("And before her?"),
        ]
    )
    assert request.instruction == "And before her?"
    assert [(turn.question, turn.answer) for turn in request.turns] == [("Who keeps the light?", "Anna.")]
    assert [one.source for one in request.documents.values()] == ["skerry.txt"]
    assert request.warnings == ["the system message does not count where documents are asked"]
    short = [SystemMessage("Be short."), HumanMessage("Hi")]
    assert read(short).instruction == "Be short.\n\nHi"
    assert read(short, of_documents=True).instruction == "Hi"
    assert read([ChatMessage("Be short.", role="developer"), ChatMessage("Hi", role="user")]) == read(short)
    called = AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}])
    told = read([HumanMessage("Hi"), called, ToolMessage("Rain.", tool_call_id="1")])
    assert (told.instruction, told.warnings) == ("Hi", ["what tools said counts only where it is long"])


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage([{"type": "image", "url": "https://example.org/a.png"}]),
        HumanMessage([{"type": "file", "url": "https://example.org/a.pdf"}]),
        AIMessage("I said something."),
    ],
)
def test_what_cannot_be_read_or_asks_nothing_is_said(message: HumanMessage) -> None:
    with pytest.raises(ConfigError):
        read([message])


async def endless(ended: threading.Event) -> AsyncGenerator[int, None]:
    try:
        yield 1
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        ended.set()


def test_who_stops_waiting_for_a_stream_gets_what_stopped_it(lda: LongDoc) -> None:
    async def first_then_wait(ended: threading.Event) -> None:
        async for piece in Desk(lda).aiterate(lambda _: endless(ended)):
            assert piece == 1

    async def main() -> None:
        ended = threading.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await first_then_wait(ended)
        assert ended.is_set()
        ended = threading.Event()
        task = asyncio.create_task(first_then_wait(ended))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(main())


def test_a_stream_tells_its_pieces_and_what_ends_it(lda: LongDoc) -> None:
    async def failing(_: Capabilities) -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise ConfigError("there is no more")

    async def main() -> None:
        pieces = Desk(lda).aiterate(failing)
        assert [await anext(pieces), await anext(pieces)] == [1, 2]
        with pytest.raises(ConfigError, match="no more"):
            await anext(pieces)
        left, ended = Desk(lda).aiterate(lambda _: endless(evidence)), evidence
        assert await anext(left) == 1
        await left.aclose()
        assert ended.is_set()

    evidence = threading.Event()
    asyncio.run(main())


def test_an_answer_that_ran_into_its_limit_says_so(tmp_path: Path) -> None:
    cut = ScriptedEngine(lambda request: Completion("It began", FinishReason.LENGTH, Usage(), "scripted", 0.0))

    async def main() -> list[str]:
        settings = {"engine": "scripted", "embedding_model": "hashed", "database": str(tmp_path / "record.db")}
        async with AsyncLongDoc(**settings) as longdoc:
            longdoc._open = replace(longdoc.workspace, engine=cut), longdoc._open[1]  # type: ignore[index]
            model = ChatLongDoc(lda=longdoc)
            whole = await model.ainvoke("Tell me a story.")
            pieces = [piece async for piece in model.astream("Tell me another story.")]
            return [whole.response_metadata["finish_reason"], pieces[-1].response_metadata["finish_reason"]]

    assert asyncio.run(main()) == ["length", "length"]


def test_a_chat_history_is_a_session_like_any_other(lda: LongDoc) -> None:
    history = LongDocChatHistory(lda, user="alice", session="langchain")
    history.add_messages([HumanMessage("My cat is called Kiki."), AIMessage("Noted.")])
    history.add_user_message("What is she called?")
    history.add_messages(
        [AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}]), ToolMessage("b", tool_call_id="1")]
    )
    history.add_ai_message("Kiki.")
    assert [(one.type, one.text) for one in history.messages] == [
        ("human", "My cat is called Kiki."),
        ("ai", "Noted."),
        ("human", "What is she called?"),
        ("ai", "Kiki."),
    ]
    assert [one.response for one in lda.chat("alice", "langchain").memories()] == ["Noted.", "Kiki."]
    assert len(asyncio.run(history.aget_messages())) == 4
    history.add_user_message("One.")
    history.add_user_message("Two.")
    assert [one.text for one in history.messages][-2:] == ["One.", "Two."]
    history.clear()
    assert history.messages == []


def test_tools_give_a_model_little_and_a_program_everything(lda: LongDoc) -> None:
    tools = {tool.name: tool for tool in longdoc_tools(lda, book(), most_characters=300)}
    assert list(tools) == ["summarize_document", "ask_documents", "check_claims", "search_documents", "write_text"]
    message = tools["search_documents"].invoke(
        {"name": "search_documents", "args": {"query": "rain", "k": 4}, "id": "1", "type": "tool_call"}
    )
    assert len(message.text) < 400
    assert sum(len(match.text) for match in message.artifact) > 1000
    assert [tool.name for tool in longdoc_tools(lda)] == ["write_text"]


def test_a_tool_that_cannot_do_it_tells_the_model(lda: LongDoc) -> None:
    tools = {tool.name: tool for tool in longdoc_tools(lda, [book("One"), book("Two")])}
    call = {"name": "summarize_document", "args": {"words": 50}, "id": "1", "type": "tool_call"}
    message = tools["summarize_document"].invoke(call)
    assert message.status == "error"
    assert "One.md; Two.md" in message.text
    named = {**call, "args": {"words": 50, "document": "two"}}
    assert tools["summarize_document"].invoke(named).artifact.document.title == "Two.md"


def test_what_stops_all_work_is_raised_by_a_tool(tmp_path: Path) -> None:
    with LongDoc(
        engine="scripted", embedding_model="hashed", database=str(tmp_path / "r.db"), budget=Budget(max_calls=0)
    ) as longdoc:
        tool = longdoc_tools(longdoc, book())[0]
        with pytest.raises(BudgetExceededError):
            tool.invoke({"words": 50})
