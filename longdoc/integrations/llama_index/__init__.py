"""longdoc in LlamaIndex: retriever, nodes and a memory block. Its readers as sources of documents are `readers`."""

from longdoc.integrations.extras import require

require("llama_index", extra="llama-index")

# What is not installed is told first.
from longdoc.integrations.llama_index.memory import LongDocMemoryBlock  # noqa: E402
from longdoc.integrations.llama_index.nodes import asegments_as_nodes, segments_as_nodes  # noqa: E402
from longdoc.integrations.llama_index.readers import read_with  # noqa: E402
from longdoc.integrations.llama_index.retriever import LongDocRetriever  # noqa: E402

__all__ = ["LongDocMemoryBlock", "LongDocRetriever", "asegments_as_nodes", "read_with", "segments_as_nodes"]
