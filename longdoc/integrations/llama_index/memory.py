"""A session of the memory stream as a memory block of LlamaIndex's agents."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.memory import BaseMemoryBlock
from typing_extensions import override

from longdoc.documents.tokens import estimate_tokens
from longdoc.integrations.conversation import Conversation, Said
from longdoc.integrations.desk import Desk, Opened
from longdoc.memory.stream import label
from longdoc.storage.memory_types import Memory, NamespaceName


class LongDocMemoryBlock(BaseMemoryBlock[str]):
    """What was said long ago and is of use now, for `llama_index.core.memory.Memory`.

    What falls out of the short-term memory is kept for good, as the session that `lda chat --user` and `lda memory`
    know; what comes nearest to the last message of the user is given back, `k` memories in at most `tokens` tokens by
    estimate.

    ```python
    from llama_index.core.memory import Memory

    block = LongDocMemoryBlock(lda=lda, user="alice", session="agent")
    memory = Memory.from_defaults(session_id="agent", token_limit=300, memory_blocks=[block])
    ```
    """

    name: str = Field(default="long_term_memory", description="The name of the block.")
    priority: int = Field(default=1, description="1: cut before others where room lacks.")
    lda: Any = Field(exclude=True, description="A LongDoc, or an AsyncLongDoc on its own loop.")
    user: str = Field(description="Whose memories they are.")
    session: str = Field(default="main", description="The session they are kept in.")
    agent: str = Field(default="default", description="With which agent.")
    k: int = Field(default=6, description="How many memories are given back.")
    tokens: int = Field(default=1000, description="Tokens of them at most.")
    _desk: Desk = PrivateAttr()
    _conversation: Conversation = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Keep where memories go."""
        opened: Opened = self.lda
        self._desk = Desk(opened)
        self._conversation = Conversation(NamespaceName(self.user, self.agent, self.session))

    @override
    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        asked = [message.content or "" for message in messages or [] if message.role == MessageRole.USER]
        if not asked or not asked[-1].strip():
            return ""
        found = await self._desk.arun(lambda lda: self._conversation.search(lda.workspace, asked[-1], k=self.k))
        return _within([_line(memory) for memory in sorted(found, key=lambda one: one.number)], self.tokens)

    @override
    async def _aput(self, messages: list[ChatMessage]) -> None:
        said = [
            Said(message.content or "", message.role == MessageRole.USER)
            for message in messages
            if message.role in {MessageRole.USER, MessageRole.ASSISTANT}
        ]
        await self._desk.arun(lambda lda: self._conversation.remember(lda.workspace, said))

    @override
    async def atruncate(self, content: str, tokens_to_truncate: int) -> str | None:
        return _within(content.split("\n"), max(0, int(estimate_tokens(content)) - tokens_to_truncate)) or None


def _line(memory: Memory) -> str:
    said = (("user", memory.observation), ("assistant", memory.response))
    return " ".join([f"[{label(memory)}]", *(f"{who}: {' '.join(text.split())}" for who, text in said if text)])


def _within(lines: list[str], tokens: int) -> str:
    """The last lines that have at most so many tokens."""
    kept: list[str] = []
    for line in reversed(lines):
        tokens -= int(estimate_tokens(line)) + 1
        if tokens < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept))
