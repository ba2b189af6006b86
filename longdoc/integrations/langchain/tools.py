"""The capabilities as tools of LangChain, each with a bounded output and its whole result as artifact."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from os import PathLike
from typing import Any, Final, TypeVar

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from longdoc.app.api_capabilities import Capabilities
from longdoc.app.api_inputs import Inputs
from longdoc.app.results import Result, cited_text
from longdoc.documents.document import Document
from longdoc.errors import ConfigError, LdaError
from longdoc.integrations.desk import Desk, Match, Opened

I = TypeVar("I", bound=BaseModel)  # noqa: E741 - inputs

MOST_CHARACTERS: Final = 6_000
"""Of what a tool gives to a model."""
_MOST_SOURCES = 8
_MOST_FOUND = 20
_MOST_CLAIMS = 20
_MOST_TITLES = 20
_HEAD_CHARACTERS, _LEAST_CHARACTERS = 120, 80


class SummarizeInput(BaseModel):
    """What `summarize_document` takes."""

    document: str = Field("", description="Title of the document; not needed where there is only one.")
    words: int = Field(300, ge=10, le=3000, description="Length of the summary.")
    focus: str | None = Field(None, description="What the reader wants to know above all.")


class AskInput(BaseModel):
    """What `ask_documents` takes."""

    question: str = Field(min_length=1, description="A whole question that can be understood by itself.")


class CheckInput(BaseModel):
    """What `check_claims` takes."""

    claims: list[str] = Field(min_length=1, max_length=_MOST_CLAIMS, description="Claims, a sentence each.")


class SearchInput(BaseModel):
    """What `search_documents` takes."""

    query: str = Field(min_length=1, description="What to look for.")
    k: int = Field(5, ge=1, le=_MOST_FOUND, description="How many stretches of text to find.")


class WriteInput(BaseModel):
    """What `write_text` takes."""

    instruction: str = Field(min_length=1, description="What to write, for whom, in which style.")
    words: int = Field(800, ge=50, le=20_000, description="Length of the text.")


def longdoc_tools(
    lda: Opened, documents: Inputs = (), *, collection: str | None = None, most_characters: int = MOST_CHARACTERS
) -> list[BaseTool]:
    """Tools for models that call some: summarize, ask, check and search documents or a collection, and write.

    Without either there is only the one that writes. Each gives a model at most `most_characters`, and a program its
    whole result as `artifact` of the tool message. What cannot be done is told to the model as an error of the tool;
    what stops all work (a spent budget, an engine that is gone) is raised.

    ```python
    tools = longdoc_tools(lda, "book.epub")
    print([tool.name for tool in tools])
    print(tools[1].invoke({"question": "Who keeps the light?"}))
    ```
    """
    work = _Tools(Desk(lda, documents, collection), most_characters)
    of = "the documents" if collection is None else "the documents of a collection"
    writing = work.tool("write_text", "Write a text of a given length, from documents if any.", WriteInput, work.write)
    if collection is None and not isinstance(documents, str | PathLike | Document) and not list(documents):
        return [writing]
    return [
        work.tool("summarize_document", f"Summarize one of {of}.", SummarizeInput, work.summarize),
        work.tool("ask_documents", f"Answer a question from {of}; quotes are checked.", AskInput, work.ask),
        work.tool("check_claims", f"Check whether {of} bear out claims.", CheckInput, work.check),
        work.tool("search_documents", f"Find stretches of text in {of}.", SearchInput, work.search),
        writing,
    ]


class _Tools:
    """The work of the tools of one desk."""

    def __init__(self, desk: Desk, most_characters: int) -> None:
        self._desk = desk
        self._most = most_characters

    def tool(
        self,
        name: str,
        description: str,
        inputs: type[I],
        work: Callable[[Capabilities, I], Coroutine[Any, Any, Result | list[Match]]],
    ) -> BaseTool:
        """A capability as a tool, which takes the fields of `inputs`."""

        def run(**arguments: Any) -> tuple[str, Any]:
            return self._desk.run(lambda lda: self._shown(work(lda, inputs(**arguments))))

        async def arun(**arguments: Any) -> tuple[str, Any]:
            return await self._desk.arun(lambda lda: self._shown(work(lda, inputs(**arguments))))

        return StructuredTool.from_function(
            run,
            arun,
            name=name,
            description=description,
            args_schema=inputs,
            response_format="content_and_artifact",
            handle_tool_error=True,
        )

    async def summarize(self, lda: Capabilities, asked: SummarizeInput) -> Result:
        """Summarize a document."""
        return await lda.summarize(await self._document(lda, asked.document), words=asked.words, focus=asked.focus)

    async def ask(self, lda: Capabilities, asked: AskInput) -> Result:
        """Answer a question."""
        return await lda.ask(asked.question, await self._desk.documents(), collection=self._desk.collection)

    async def check(self, lda: Capabilities, asked: CheckInput) -> Result:
        """Check claims."""
        return await lda.check(asked.claims, await self._desk.documents(), collection=self._desk.collection)

    async def search(self, lda: Capabilities, asked: SearchInput) -> list[Match]:
        """Find stretches of text."""
        return await self._desk.search(lda, asked.query, k=asked.k)

    async def write(self, lda: Capabilities, asked: WriteInput) -> Result:
        """Write a text from the documents; those of a collection are too many to be sources."""
        return await lda.write(asked.instruction, await self._desk.documents(), words=asked.words)

    async def _shown(self, work: Awaitable[Result | list[Match]]) -> tuple[str, Any]:
        try:
            found = await work
        except LdaError as error:
            if error.resumable:
                raise
            raise ToolException(str(error)) from error
        if isinstance(found, list):
            return self._matches(found), found
        return self._bounded(cited_text(found, most=_MOST_SOURCES), f"all of it is run {found.run_id}"), found

    def _matches(self, found: Sequence[Match]) -> str:
        """Stretches of text, each with where it stands; long ones share what there is of room."""
        if not found:
            return "Nothing was found."
        room = self._most // len(found) - _HEAD_CHARACTERS
        heads = (", ".join(filter(None, (one.document.title, str(one.place)))) for one in found)
        lines = [
            f"[{number}] {head}: {' '.join(one.text.split())[: max(room, _LEAST_CHARACTERS)]}"
            for number, (head, one) in enumerate(zip(heads, found, strict=True), 1)
        ]
        return self._bounded("\n\n".join(lines), "search for less")

    def _bounded(self, text: str, hint: str) -> str:
        if len(text) <= self._most:
            return text
        return f"{text[: self._most]}… (cut here, {len(text) - self._most:,} characters more; {hint})"

    async def _document(self, lda: Capabilities, title: str) -> Document:
        """The document of a title, or of a part of one that no other has. Raises `ConfigError` that names them."""
        records, held = lda.workspace.records, {one.id: one for one in await self._desk.documents()}
        titles = {one.id: one.title for one in held.values()}
        if self._desk.collection is not None:
            titles = {one.id: one.title for one in await records.collections.documents(self._desk.collection)}
        wanted = title.strip().casefold()
        exact = [one for one, name in titles.items() if name.casefold() == wanted]
        chosen = exact or [one for one, name in titles.items() if wanted in name.casefold()]
        if len(chosen) != 1:
            raise ConfigError(f"say which document is meant: {'; '.join(list(titles.values())[:_MOST_TITLES])}")
        return held.get(chosen[0]) or await records.documents.load(chosen[0])
