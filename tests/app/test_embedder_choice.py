"""Which embedder is taken for which settings, and what is said of it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from longdoc.app.embedder_choice import EmbedderChoice, choose_embedder
from longdoc.config import Settings, load_settings
from longdoc.engines.catalogue import find_entry
from longdoc.errors import ConfigError, EngineUnavailableError, ModelNotFoundError
from tests.models import MODELS, require_model
from tests.servers.openai_server import MODEL, Fault, OpenAIServer, at_requests


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    for name in ("LDA_EMBEDDING_MODEL", "LDA_EMBEDDING_BASE_URL", "LDA_EMBEDDING_API_KEY", "LDA_MODELS_DIR"):
        monkeypatch.delenv(name, raising=False)


async def choose(settings: Settings) -> EmbedderChoice:
    choice = await choose_embedder(settings, notify=lambda _: None, progress=lambda *_: None)
    if choice.embedder.info.engine != "sentence-transformers":  # it would take seconds to load
        vectors = await choice.embedder.embed(["one", "two"])
        assert vectors.shape == (2, choice.embedder.info.dimensions)
    await choice.embedder.aclose()
    return choice


def chosen(**settings: Any) -> EmbedderChoice:
    return asyncio.run(choose(Settings(**settings)))


def test_without_settings_it_is_the_small_model_of_the_catalogue() -> None:
    require_model("minilm-l6")
    entry = find_entry("minilm-l6")
    choice = chosen(models_dir=MODELS)
    assert choice.reason == "minilm-l6, in this process"
    assert entry is not None
    assert choice.embedder.info.identity == f"minilm-l6@sha256:{(entry.sha256 or '')[:16]}"
    assert (choice.embedder.info.dimensions, choice.embedder.info.max_tokens) == (384, 256)


def test_a_folder_is_taken_as_it_is() -> None:
    folder = require_model("minilm-l6")
    choice = chosen(embedding_model=str(folder))
    assert choice.reason == f"minilm-l6 from {folder}, in this process"
    assert choice.embedder.info.identity.startswith("minilm-l6:90868376:")


def test_hashed_words_need_no_model() -> None:
    assert chosen(embedding_model="hashed").embedder.info.engine == "hashed"


def test_a_server_is_taken_where_one_is_set_and_its_failures_are_tried_again() -> None:
    with OpenAIServer(api_key="secret", faults=at_requests({1: Fault.ERROR_500})) as server:
        choice = chosen(embedding_base_url=server.base_url, embedding_api_key="secret", embedding_model=MODEL)
    assert choice.reason == f"{MODEL} at {server.base_url} (as set)"
    assert len(server.log) == 3


def test_the_server_of_the_engine_is_not_asked_for_embeddings() -> None:
    with OpenAIServer() as server:
        chosen(base_url=server.base_url, embedding_model="hashed")
    assert server.log == []


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(EngineUnavailableError):
        chosen(embedding_base_url="http://127.0.0.1:9/v1")


def test_a_chat_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="makes no embeddings"):
        chosen(embedding_model="smollm2-135m")


@pytest.mark.parametrize("name", ["./none", "/none", "~/none", "a-file"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").write_text("no folder")
    with pytest.raises(ModelNotFoundError, match="is no folder"):
        chosen(embedding_model=name)


def test_settings_are_read_and_the_key_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDA_EMBEDDING_MODEL", "some/model")
    monkeypatch.setenv("LDA_EMBEDDING_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("LDA_EMBEDDING_API_KEY", "sk-secret")
    settings = load_settings()
    assert (settings.embedding_model, settings.embedding_api_key) == ("some/model", "sk-secret")
    assert "sk-secret" not in repr(settings)


def test_choosing_loads_nothing_heavy_before_it_must() -> None:
    script = (
        "import sys, longdoc.app.embedder_choice, longdoc.engines.embedder, longdoc.engines.embedder_retry; "
        "import longdoc.engines.embedder_hashed; "
        "print(sorted({'numpy', 'torch', 'faiss', 'httpx', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
