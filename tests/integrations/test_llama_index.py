"""longdoc in LlamaIndex: its readers as our sources, our search, segments and memories in its programs."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import MockLLM
from llama_index.core.memory import Memory
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.readers import StringIterableReader
from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document as LlamaDocument
from llama_index.core.schema import NodeRelationship, TextNode
from typer.testing import CliRunner

from longdoc import LongDoc
from longdoc.cli.main import app
from longdoc.cli.sources import expand_sources
from longdoc.errors import ConfigError, DocumentError, EmptyDocumentError
from longdoc.integrations.llama_index import LongDocMemoryBlock, LongDocRetriever, read_with, segments_as_nodes
from longdoc.integrations.llama_index.readers import to_document
from tests.integrations.opened import NEEDLE, QUESTION, book, opened


@pytest.fixture(scope="module")
def lda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongDoc]:
    with opened(tmp_path_factory.mktemp("llama_index")) as longdoc:
        yield longdoc


class PagesReader(BaseReader):
    """A reader of files as the hub has them: a document a page."""

    def load_data(self, file: Path) -> list[LlamaDocument]:  # type: ignore[override]
        pages = file.read_text().split("\f")
        return [
            LlamaDocument(text=page, metadata={"page_label": str(n), "file_name": file.name})
            for n, page in enumerate(pages, 1)
        ]


class TellingReader(PagesReader):
    """Keeps the names of what it read."""

    read: ClassVar[list[str]] = []

    def load_data(self, file: Path) -> list[LlamaDocument]:  # type: ignore[override]
        self.read.append(file.name)
        return super().load_data(file)


class FailingReader(BaseReader):
    def load_data(self, file: Path) -> list[LlamaDocument]:  # type: ignore[override]
        raise RuntimeError("the file is broken")


class NeedyReader(BaseReader):
    def __init__(self, key: str) -> None:
        self.key = key


def test_a_reader_is_a_source_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "two.pages"
    file.write_text("The first page.\n\nIts second paragraph.\fThe second page.")
    document = read_with(f"{__name__}:PagesReader", str(file))
    assert document.title == "two.pages"
    assert document.text == "The first page.\n\nIts second paragraph.\n\nThe second page."
    assert [block.page for block in document.blocks] == [1, 1, 2]
    assert read_with(PagesReader(), str(file)).id == read_with(f"{__name__}.PagesReader", str(file)).id == document.id


def test_readers_of_lists_and_of_folders_are_asked_as_they_want(tmp_path: Path) -> None:
    assert read_with(StringIterableReader(), "A text.").text == "A text."
    file = tmp_path / "notes.txt"
    file.write_text("Kept in a file.")
    named = "llama_index.core.readers:SimpleDirectoryReader"
    assert read_with(named, str(file)).text == "Kept in a file."


def test_titles_in_metadata_are_sections() -> None:
    read = [
        LlamaDocument(text="One.", metadata={"header": "Beginning", "title": "A book"}),
        LlamaDocument(text="Two.", metadata={"header": "Beginning"}),
        LlamaDocument(text="Three.", metadata={"header": "End"}),
    ]
    document = to_document(read, name="x")
    assert document.title == "A book"
    sections = {section.title: document.text[section.start : section.end].strip() for section in document.sections}
    assert sections == {"Beginning": "One.\n\nTwo.", "End": "Three."}


@pytest.mark.parametrize(
    ("reader", "kind", "told"),
    [
        ("no.such.module:Reader", ConfigError, "no-such-module"),
        ("json:JSONDecoder", ConfigError, "load_data"),
        (f"{__name__}:NeedyReader", ConfigError, "without arguments"),
        (f"{__name__}:FailingReader", DocumentError, "the file is broken"),
        (object(), ConfigError, "load_data"),
    ],
)
def test_a_reader_that_cannot_is_told(reader: Any, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        read_with(reader, "x.pages")


def test_what_a_reader_finds_empty_is_empty() -> None:
    with pytest.raises(EmptyDocumentError):
        read_with(StringIterableReader(), " ")


def test_the_command_reads_with_a_reader(tmp_path: Path) -> None:
    file = tmp_path / "two.pages"
    file.write_text("The first page.\fThe second page.")
    options = ["--reader", f"{__name__}:PagesReader", "--database", str(tmp_path / "record.db")]
    done = CliRunner(env={"LDA_EMBEDDING_MODEL": "hashed"}).invoke(app, ["ingest", str(file), *options, "--json"])
    assert done.exit_code == 0, done.output
    assert "two.pages" in done.stdout


@pytest.mark.parametrize(
    "command",
    [["do", "Summarize these"], ["summarize"], ["chat", "-m", "Who?", "-d"], ["write", "a note on these", "--source"]],
)
def test_a_reader_reads_whole_folders_for_every_command(tmp_path: Path, command: list[str]) -> None:
    for name in ("one.pages", "more/two.pages", ".git/three.pages"):
        (tmp_path / "shelf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shelf" / name).write_text(f"What {name} tells.")
    options = ["--reader", f"{__name__}:TellingReader", "--engine", "scripted", "--database", str(tmp_path / "r.db")]
    TellingReader.read.clear()
    CliRunner(env={"LDA_EMBEDDING_MODEL": "hashed"}).invoke(app, [*command, str(tmp_path / "shelf"), *options])
    assert sorted(set(TellingReader.read)) == ["one.pages", "two.pages"]


def test_a_folder_without_anything_in_it_holds_no_documents(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no documents$"):
        expand_sources([str(tmp_path)], reader="a:B")
    (tmp_path / "one.pages").write_text("One.")
    with pytest.raises(ConfigError, match=r"holds no documents \(\.docx"):
        expand_sources([str(tmp_path)])


def test_segments_are_nodes_that_join_back_to_the_text(lda: LongDoc) -> None:
    document = book()
    nodes = segments_as_nodes(lda, document, tokens=200)
    assert len(nodes) > 4
    assert "".join(node.text for node in nodes) == document.text
    for before, after in pairwise(nodes):
        assert before.end_char_idx == after.start_char_idx
        assert before.relationships[NodeRelationship.NEXT].node_id == after.node_id  # type: ignore[union-attr]
    assert nodes[-1].metadata["section"].endswith("Chapter 4")
    assert nodes[0].ref_doc_id == document.id


def test_a_retriever_gives_nodes_with_scores(lda: LongDoc) -> None:
    document = book()
    retriever = LongDocRetriever(lda, document, k=2)
    found = retriever.retrieve(QUESTION)
    best = next(one.node for one in found if NEEDLE in one.text)
    assert isinstance(best, TextNode)
    assert document.text[best.start_char_idx : best.end_char_idx] == best.text
    assert all(one.score for one in found)
    assert [one.node_id for one in asyncio.run(retriever.aretrieve(QUESTION))] == [one.node_id for one in found]


def test_a_query_engine_answers_over_our_retriever(lda: LongDoc) -> None:
    engine = RetrieverQueryEngine.from_args(LongDocRetriever(lda, book(), k=2), llm=MockLLM())
    answer = engine.query(QUESTION)
    assert NEEDLE in str(answer)  # the mock says its prompt again
    assert len(answer.source_nodes) == 2


def test_a_memory_block_keeps_and_recalls(lda: LongDoc) -> None:
    async def main() -> str:
        block = LongDocMemoryBlock(lda=lda, user="alice", session="agent", k=1)
        memory = Memory.from_defaults(session_id="agent", memory_blocks=[block])
        await block.aput(
            [
                ChatMessage(role=MessageRole.USER, content="My cat is called Kiki."),
                ChatMessage(role=MessageRole.ASSISTANT, content="Noted."),
                ChatMessage(role=MessageRole.USER, content="The harbour was full of boats."),
                ChatMessage(role=MessageRole.ASSISTANT, content="I see."),
            ],
            from_short_term_memory=True,
        )
        await memory.aput(ChatMessage(role=MessageRole.USER, content="What is my cat called?"))
        told = "\n".join(str(message.content) for message in await memory.aget())
        await memory.sql_store._async_engine.dispose()  # nothing public closes it
        return told

    told = asyncio.run(main())
    assert "My cat is called Kiki." in told
    assert "harbour" not in told
    assert lda.chat("alice", "agent").memories()[0].observation == "My cat is called Kiki."


def test_a_memory_block_is_cut_to_what_there_is_room_for(lda: LongDoc) -> None:
    block = LongDocMemoryBlock(lda=lda, user="bob")
    content = "\n".join(f"[Turn {n}] user: something about the harbour and its boats" for n in range(20))
    cut = asyncio.run(block.atruncate(content, 100))
    assert cut is not None
    assert content.endswith(cut)
    assert len(cut) < len(content)
    assert asyncio.run(block.atruncate(content, 100_000)) is None
