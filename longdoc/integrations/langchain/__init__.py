"""longdoc as components of LangChain: retriever, chat model, chat history, tools, and an agent that uses them."""

from longdoc.integrations.extras import require

require("langchain", extra="langchain")

from longdoc.integrations.langchain.chat_history import LongDocChatHistory  # noqa: E402 - what is not installed is told first
from longdoc.integrations.langchain.chat_model import ChatLongDoc  # noqa: E402
from longdoc.integrations.langchain.retriever import LongDocRetriever  # noqa: E402
from longdoc.integrations.langchain.tools import longdoc_tools  # noqa: E402

__all__ = ["ChatLongDoc", "LongDocChatHistory", "LongDocRetriever", "longdoc_tools"]
