"""Facts about a user: kept over sessions, replaced with a history, and gone with the turns they come from."""

from __future__ import annotations

import json
from pathlib import Path

from longdoc.app.bootstrap import Workspace
from longdoc.app.chat import ChatOptions, ChatSession, open_chat
from longdoc.app.memory_access import delete_namespace
from longdoc.engines.engine import CompletionRequest
from longdoc.storage.memory_types import NamespaceName
from tests.app.chatting import ALICE, kind, prompt, said, scripted, with_workspace

FACTS = ChatOptions(facts=True)
OTHER = NamespaceName("alice", "default", "other")


def learns(request: CompletionRequest) -> str:
    """Takes where the user lives as a fact, and replaces an older one."""
    if kind(request) != "memory/facts":
        return said("Noted.")(request)
    text = prompt(request)
    places = [place for place in ("Oslo", "Bergen") if f"I live in {place}" in text.partition("<user>")[2]]
    known = "Known fact 1" in text
    return json.dumps(
        {"facts": [{"text": f"The user lives in {place}.", "replaces": 1 if known else None} for place in places]}
    )


async def facts(chat: ChatSession) -> list[str]:
    assert chat.facts is not None
    await chat.settle()
    return [fact.observation for fact in await chat.facts.all()]


def test_facts_are_known_in_all_sessions_and_told_with_every_prompt(tmp_path: Path) -> None:
    engine = scripted(learns)

    async def work(workspace: Workspace) -> None:
        async with open_chat(workspace, ALICE, FACTS) as chat:
            await chat.send("I live in Oslo.")
            assert await facts(chat) == ["The user lives in Oslo."]
        async with open_chat(workspace, OTHER, FACTS) as chat:
            reply = await chat.send("What do you know of me?")
            account = reply.decision["account"]
            assert isinstance(account, dict)
            assert isinstance(account["facts"], int)
            assert account["facts"] > 0
        async with open_chat(workspace, NamespaceName("bob", "default", "main"), FACTS) as chat:
            assert await facts(chat) == []

    with_workspace(tmp_path, engine, work)
    asked = [prompt(request) for request in engine.calls if kind(request) == "chat/answer"]
    assert "The user lives in Oslo." in asked[1]


def test_a_contradiction_replaces_a_fact_and_keeps_what_it_said(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        async with open_chat(workspace, ALICE, FACTS) as chat:
            await chat.send("I live in Oslo.")
            await chat.settle()
            await chat.send("I live in Bergen now.")
            assert await facts(chat) == ["The user lives in Bergen."]
            assert chat.facts is not None
            about = chat.facts.namespace.id
            history = await workspace.records.memories.history(about, 1)
            assert [one.observation for one in history] == ["The user lives in Oslo."]
            (fact,) = await chat.facts.all()
            assert fact.source == {"turns": [[chat.namespace.id, 1], [chat.namespace.id, 2]]}
            await chat.facts.edit(1, "The user lives in Narvik.")
            assert await facts(chat) == ["The user lives in Narvik."]
            assert len(await workspace.records.memories.history(about, 1)) == 2

    with_workspace(tmp_path, scripted(learns), work)


def test_each_turn_is_read_once_also_when_the_session_is_opened_again(tmp_path: Path) -> None:
    engine = scripted(learns)

    async def work(workspace: Workspace) -> None:
        async with open_chat(workspace, ALICE, ChatOptions()) as chat:
            await chat.send("I live in Oslo.")
        for _ in range(2):
            async with open_chat(workspace, ALICE, FACTS) as chat:
                assert await facts(chat) == ["The user lives in Oslo."]

    with_workspace(tmp_path, engine, work)
    assert [kind(request) for request in engine.calls].count("memory/facts") == 1


def test_what_is_forgotten_takes_its_facts_with_it(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        async with open_chat(workspace, ALICE, FACTS) as chat:
            await chat.send("I live in Oslo.")
            assert await facts(chat) != []
            await chat.forget(1)
            assert await facts(chat) == []
            await chat.send("I live in Bergen.")
            assert await facts(chat) != []
        await delete_namespace(workspace.records, ALICE)
        async with open_chat(workspace, OTHER, FACTS) as chat:
            assert await facts(chat) == []

    with_workspace(tmp_path, scripted(learns), work)


def test_an_answer_that_is_no_fact_adds_nothing(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        async with open_chat(workspace, ALICE, FACTS) as chat:
            await chat.send("I live in Oslo.")
            assert await facts(chat) == []

    with_workspace(tmp_path, scripted(said("no JSON at all")), work)
