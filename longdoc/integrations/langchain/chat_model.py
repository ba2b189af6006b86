"""longdoc as a chat model of LangChain: messages of any length, answered with citations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from longdoc.app.api_capabilities import Capabilities
from longdoc.app.orchestrator import DoResult
from longdoc.errors import ConfigError
from longdoc.integrations.desk import Desk, Last, Opened, streamed
from longdoc.integrations.langchain.messages import read_chat


class ChatLongDoc(BaseChatModel):
    """Answers messages of any length by what they ask for: a call, a summary, an answer from documents, a long text.

    `lda` is a `LongDoc` (or an `AsyncLongDoc`, to be awaited on its loop). `documents` or a `collection` are asked
    about in every message; so are long texts and files in messages. `user` is a user whom answers are made for.
    Sources stand in `response_metadata["citations"]`, beside `run_id`, the `route` that was taken and `warnings`; a
    streamed text that was changed when its quotes were checked stands there as `text`. Tools cannot be bound:
    `longdoc_tools` are for models that call some. Raises what `LongDoc.do` raises.

    ```python
    model = ChatLongDoc(lda=lda, documents="book.epub")
    answer = model.invoke("Who keeps the light?")
    print(answer.text, answer.response_metadata["citations"])
    ```
    """

    lda: Opened
    documents: Any = ()
    collection: str | None = None
    user: str | None = None
    model: str = "longdoc"
    stop: list[str] | None = None
    _desk: Desk = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Keep what is asked, so that documents are read once."""
        self._desk = Desk(self.lda, self.documents, self.collection)

    @property
    def _llm_type(self) -> str:
        return "longdoc"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "collection": self.collection, "user": self.user}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _whole(list(self._stream(messages, stop)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _whole([piece async for piece in self._astream(messages, stop)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self._desk.iterate(lambda lda: self._pieces(lda, messages, stop or self.stop)):
            if run_manager is not None:
                run_manager.on_llm_new_token(piece.text, chunk=piece)
            yield piece

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        asked = self._desk.aiterate(lambda lda: self._pieces(lda, messages, stop or self.stop))
        async with aclosing(asked) as pieces:
            async for piece in pieces:
                if run_manager is not None:
                    await run_manager.on_llm_new_token(piece.text, chunk=piece)
                yield piece

    async def _pieces(
        self, lda: Capabilities, messages: Sequence[BaseMessage], stop: Sequence[str] | None
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        """The answer as it is written, and at last what it rests on; with `stop` texts it comes whole."""
        held = await self._desk.documents()
        request = await read_chat(messages, of_documents=bool(held) or self.collection is not None)
        documents = [*held, *request.documents.values()]
        if documents and self.collection is not None:
            raise ConfigError("a long text and a collection cannot be asked about at once; put the text into it")
        heard: list[str] = []
        answering = streamed(
            lambda on_text: lda.do(
                request.instruction,
                documents,
                collection=self.collection,
                user=self.user,
                turns=tuple(request.turns),
                on_text=on_text,
            ).result()
        )
        async with aclosing(answering):
            async for piece in answering:
                if isinstance(piece, Last):
                    rest, metadata = _rest("".join(heard), _until(piece.result.text, stop))
                    metadata |= {"warnings": request.warnings, "model_name": lda.workspace.engine.info.model}
                    yield _last(rest, piece.result, metadata)
                elif piece and not stop:
                    heard.append(piece)
                    yield ChatGenerationChunk(message=AIMessageChunk(content=piece))


def _whole(pieces: Sequence[ChatGenerationChunk]) -> ChatResult:
    last = pieces[-1].message
    metadata = dict(last.response_metadata)
    text = metadata.pop("text", None) or "".join(piece.text for piece in pieces)
    usage = last.usage_metadata if isinstance(last, AIMessageChunk) else None
    message = AIMessage(content=text, response_metadata=metadata, usage_metadata=usage)
    return ChatResult(generations=[ChatGeneration(message=message)])


def _rest(heard: str, text: str) -> tuple[str, dict[str, Any]]:
    """What of a text was not heard yet; where something else was heard, the text is told apart."""
    if text.startswith(heard):
        return text[len(heard) :], {}
    return "", {"text": text}


def _until(text: str, stop: Sequence[str] | None) -> str:
    for one in stop or ():
        text = text.partition(one)[0]
    return text


def _last(text: str, result: DoResult, metadata: dict[str, Any]) -> ChatGenerationChunk:
    """The end of an answer: what is left of its text, its citations and what it took."""
    tokens = result.usage.tokens
    usage = UsageMetadata(
        input_tokens=tokens.prompt_tokens, output_tokens=tokens.completion_tokens, total_tokens=tokens.total_tokens
    )
    told = {
        "run_id": result.run_id,
        "route": [str(step.route.capability) for step in result.steps],
        "citations": [source.to_json() for source in result.sources],
        "finish_reason": "length" if any(step.cut for step in result.shown) else "stop",
        **metadata,
    }
    message = AIMessageChunk(content=text, response_metadata=told, usage_metadata=usage, chunk_position="last")
    return ChatGenerationChunk(message=message)
