"""LangChain's own suites for components, over ours.

What does not apply is declared by the suites' own properties: our chat model calls no tools (`has_tool_calling` and
`has_structured_output` follow from that), takes no other model by name in a call, and is not serialized, for it holds
what is open. Pictures and sound are not read; recorded HTTP is not used.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    RetrieversIntegrationTests,
    ToolsIntegrationTests,
)
from langchain_tests.unit_tests import ChatModelUnitTests, ToolsUnitTests

from longdoc import LongDoc
from longdoc.integrations.langchain import ChatLongDoc, LongDocRetriever, longdoc_tools
from tests.integrations.opened import QUESTION, book, opened


class OverLongDoc:
    """A suite over one open longdoc."""

    lda: ClassVar[LongDoc]


@pytest.fixture(scope="module", autouse=True)
def _open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with opened(tmp_path_factory.mktemp("langchain")) as lda:
        OverLongDoc.lda = lda
        yield


class OverChatModel(OverLongDoc):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLongDoc

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"lda": self.lda}

    @property
    def supports_model_override(self) -> bool:
        return False


class TestChatModelUnit(OverChatModel, ChatModelUnitTests):
    pass


class TestChatModelIntegration(OverChatModel, ChatModelIntegrationTests):
    pass


class TestChatModelOverDocuments(OverChatModel, ChatModelIntegrationTests):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"lda": self.lda, "documents": book()}


class TestRetriever(OverLongDoc, RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return LongDocRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"lda": self.lda, "documents": book()}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


class OverTool(OverLongDoc):
    name: ClassVar[str]
    example: ClassVar[dict[str, Any]]

    @property
    def tool_constructor(self) -> BaseTool:
        return next(tool for tool in longdoc_tools(self.lda, book()) if tool.name == self.name)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return self.example


class TestSummarizeUnit(OverTool, ToolsUnitTests):
    name = "summarize_document"
    example: ClassVar[dict[str, Any]] = {"words": 50}


class TestSummarizeIntegration(OverTool, ToolsIntegrationTests):
    name = "summarize_document"
    example: ClassVar[dict[str, Any]] = {"words": 50}


class TestAskUnit(OverTool, ToolsUnitTests):
    name = "ask_documents"
    example: ClassVar[dict[str, Any]] = {"question": QUESTION}


class TestAskIntegration(OverTool, ToolsIntegrationTests):
    name = "ask_documents"
    example: ClassVar[dict[str, Any]] = {"question": QUESTION}


class TestCheckUnit(OverTool, ToolsUnitTests):
    name = "check_claims"
    example: ClassVar[dict[str, Any]] = {"claims": ["It rained."]}


class TestCheckIntegration(OverTool, ToolsIntegrationTests):
    name = "check_claims"
    example: ClassVar[dict[str, Any]] = {"claims": ["It rained."]}


class TestSearchUnit(OverTool, ToolsUnitTests):
    name = "search_documents"
    example: ClassVar[dict[str, Any]] = {"query": "the key", "k": 2}


class TestSearchIntegration(OverTool, ToolsIntegrationTests):
    name = "search_documents"
    example: ClassVar[dict[str, Any]] = {"query": "the key", "k": 2}


class TestWriteUnit(OverTool, ToolsUnitTests):
    name = "write_text"
    example: ClassVar[dict[str, Any]] = {"instruction": "a note about lighthouses", "words": 60}


class TestWriteIntegration(OverTool, ToolsIntegrationTests):
    name = "write_text"
    example: ClassVar[dict[str, Any]] = {"instruction": "a note about lighthouses", "words": 60}
