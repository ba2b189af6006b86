"""The official client of OpenAI streams an answer about War and Peace from `lda serve`, with its sources."""

import json
import os
import re
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from longdoc.documents.readers import read_document
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.extractive import extractive_answer
from tests.e2e.command import Lda
from tests.models import require_model
from tests.servers.openai_server import OpenAIServer
from tests.service.test_jobs import served

ROOT = Path(__file__).parents[2]
BOOK = ROOT.parent / "shared" / "data" / "books" / "standardebooks" / "war-and-peace.epub"
WHOLE = {
    "book": BOOK.read_bytes() if BOOK.exists() else b"",
    "name": BOOK.name,
    "asked": "What is the name of the old prince's estate?",
    "capability": "ask",
}
OPENING = re.compile(r"“Well, Prince.{3000}", re.DOTALL)
"""The beginning of the first chapter."""
_EXCERPT = re.compile(r"<excerpt>\n(.*?)\n</excerpt>", re.DOTALL)

pytestmark = [
    pytest.mark.skipif(not BOOK.exists(), reason="War and Peace is in ../shared/data, which is not here"),
    pytest.mark.timeout(1_500),
]


@contextmanager
def service(tmp_path: Path, **environment: str) -> Generator[OpenAI, None, None]:
    """The client of `lda serve`, as a process, with these settings."""
    lda = Lda(tmp_path, {"LDA_EMBEDDING_MODEL": "hashed", **environment}, patience=600)
    process, address = served(lda)
    try:
        with OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=1_200) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)


def reader(request: CompletionRequest) -> str:
    """Quotes the excerpt that names the estate."""
    prompt = request.messages[-1].content
    if request.json_schema is None or "claims" not in json.dumps(request.json_schema):
        return extractive_answer(request)
    for number, text in enumerate(_EXCERPT.findall(prompt), 1):
        found = re.search(r"(?:\S+ ){0,6}Bald Hills(?: \S+){0,4}", text)
        if found is not None:
            claim = {"quotes": [{"excerpt": number, "words": found[0]}], "text": "It is called Bald Hills."}
            return json.dumps({"found": True, "claims": [claim]})
    return json.dumps({"found": False, "claims": []})


def streamed(
    client: OpenAI, model: str, *, book: bytes, name: str, asked: str, capability: str
) -> tuple[str, dict[str, Any]]:
    """The text of an answer about an uploaded file, and what longdoc tells of it."""
    file = client.files.create(file=(name, book), purpose="user_data")
    parts: Any = [{"type": "file", "file": {"file_id": file.id}}, {"type": "text", "text": asked}]
    text, told = "", None
    for chunk in client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": parts}],
        stream=True,
        extra_body={"longdoc": {"capability": capability}},
    ):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        told = (chunk.model_extra or {}).get("longdoc", told)
    assert told is not None
    assert all(one["file"] == file.id for one in told["sources"])
    return text, told


def test_a_simulated_engine_streams_a_cited_answer(tmp_path: Path) -> None:
    with (
        OpenAIServer(answer=reader) as server,
        service(tmp_path, LDA_ENGINE="openai", LDA_BASE_URL=server.base_url, LDA_MODEL="test-model") as client,
    ):
        (model,) = [one.id for one in client.models.list()]
        text, told = streamed(client, model, **WHOLE)
    assert model == "longdoc/test-model"
    assert text.startswith("It is called Bald Hills. [1]\n\n[1] War and Peace, ")
    assert "Bald Hills" in told["sources"][0]["quote"]
    assert told["route"][0]["capability"] == "ask"


def test_the_embedded_engine_streams_an_answer_and_a_cited_summary(tmp_path: Path) -> None:
    require_model()
    models = os.environ.get("LDA_MODELS_DIR", str(ROOT / ".cache" / "models"))
    small = {"LDA_MODEL": "smollm2-135m", "LDA_MODELS_DIR": models, "LDA_CONTEXT_WINDOW": "2048"}  # for its speed
    opening = OPENING.search(read_document(BOOK).text)
    assert opening is not None
    chapter = opening[0].encode()
    with service(tmp_path, LDA_ENGINE="embedded", **small) as client:
        answer, told = streamed(client, "longdoc", **WHOLE)
        summary, cited = streamed(
            client, "longdoc", book=chapter, name="chapter.txt", asked="Summarize it.", capability="summarize"
        )
    assert answer.strip()
    assert told["run_id"]
    # What a toy says of the whole book is poor; whatever it rests on are words of the book.
    assert all(f"[{one['number']}]" in answer for one in told["sources"])
    assert cited["sources"]
    assert all(f"[{one['number']}]" in summary and one["quote"].encode() in chapter for one in cited["sources"])
