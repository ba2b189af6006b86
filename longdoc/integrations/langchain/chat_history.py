"""A session of the memory stream as a chat history of LangChain."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from typing_extensions import override

from longdoc.integrations.conversation import Conversation, Said
from longdoc.integrations.desk import Desk, Opened
from longdoc.storage.memory_types import NamespaceName


class LongDocChatHistory(BaseChatMessageHistory):
    """What a user and a model said to each other, kept for good: the session that `lda chat --user` goes on with.

    Texts of people and models are kept. System messages, calls of tools and what these gave are not: they are no part
    of what was said.

    ```python
    history = LongDocChatHistory(lda, user="alice", session="langchain")
    history.add_user_message("My cat is called Kiki.")
    history.add_ai_message("Noted.")
    print(history.messages)
    ```
    """

    def __init__(self, lda: Opened, user: str, session: str = "main", *, agent: str = "default") -> None:
        self._desk = Desk(lda)
        self._conversation = Conversation(NamespaceName(user, agent, session))

    @property
    def messages(self) -> list[BaseMessage]:  # pyright: ignore[reportIncompatibleVariableOverride] as LangChain's own
        """What was said, in order."""
        return _messages(self._desk.run(lambda lda: self._conversation.told(lda.workspace)))

    @override
    async def aget_messages(self) -> list[BaseMessage]:
        return _messages(await self._desk.arun(lambda lda: self._conversation.told(lda.workspace)))

    @override
    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        self._desk.run(lambda lda: self._conversation.remember(lda.workspace, _said(messages)))

    @override
    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        await self._desk.arun(lambda lda: self._conversation.remember(lda.workspace, _said(messages)))

    @override
    def clear(self) -> None:
        self._desk.run(lambda lda: self._conversation.clear(lda.workspace))

    @override
    async def aclear(self) -> None:
        await self._desk.arun(lambda lda: self._conversation.clear(lda.workspace))


def _messages(told: Sequence[Said]) -> list[BaseMessage]:
    return [HumanMessage(one.text) if one.by_user else AIMessage(one.text) for one in told]


def _said(messages: Sequence[BaseMessage]) -> list[Said]:
    return [
        Said(str(message.text), isinstance(message, HumanMessage))
        for message in messages
        if isinstance(message, HumanMessage | AIMessage)
    ]
