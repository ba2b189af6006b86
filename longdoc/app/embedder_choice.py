"""Finding an embedder: a server where one is set, else a model in this process, the catalogue's default where none is.

Says in words what was taken; models of the catalogue are pulled as `engine_choice` does.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from longdoc.app.engine_choice import Notify, Progress, pulled_model
from longdoc.config import Settings, without_credentials
from longdoc.engines.catalogue import ModelEntry, find_entry
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, ModelNotFoundError

DEFAULT_EMBEDDING_MODEL = "minilm-l6"
HASHED = "hashed"


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """An opened embedder and one sentence on what it is."""

    embedder: Embedder
    reason: str


async def choose_embedder(settings: Settings, *, notify: Notify, progress: Progress) -> EmbedderChoice:
    """Open the embedder the settings ask for; calls to a server are tried again as `settings.attempts` says.

    With `embedding_base_url` every name is the server's; otherwise a name is `hashed` (no model: for dry runs), of the
    catalogue, a folder, or of the hub, in this order. `notify` and `progress` hear of a model being pulled.
    Raises `ConfigError` where it cannot run here, `ModelNotFoundError`, `EngineError` where a server or the hub does
    not answer.
    """
    if settings.embedding_base_url is not None:
        return await _server(settings, settings.embedding_base_url)
    name = settings.embedding_model or DEFAULT_EMBEDDING_MODEL
    if name == HASHED:
        return _hashed()
    entry = find_entry(name)
    if entry is not None:
        return await _of_catalogue(settings, entry, notify=notify, progress=progress)
    return await _of_folder_or_hub(settings, name)


async def _server(settings: Settings, base_url: str) -> EmbedderChoice:
    from longdoc.engines.embedder_openai import OpenAIEmbedder
    from longdoc.engines.embedder_retry import RetryingEmbedder

    adapter = await OpenAIEmbedder.connect(
        base_url, model=settings.embedding_model, api_key=settings.embedding_api_key, timeout=settings.timeout
    )
    embedder = RetryingEmbedder(adapter, attempts=settings.attempts)
    return EmbedderChoice(embedder, f"{adapter.info.model} at {without_credentials(base_url)} (as set)")


def _hashed() -> EmbedderChoice:
    from longdoc.engines.embedder_hashed import HashedEmbedder

    return EmbedderChoice(HashedEmbedder(), "hashed words, which find the same words only")


async def _of_catalogue(settings: Settings, entry: ModelEntry, *, notify: Notify, progress: Progress) -> EmbedderChoice:
    if entry.purpose != "embedding":
        raise ConfigError(f"{entry.name} writes and makes no embeddings; choose another model ('lda models list')")
    _require_package(entry.name)
    from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder

    folder = await pulled_model(settings, entry, notify=notify, progress=progress)
    identity = None if entry.sha256 is None else f"{entry.name}@sha256:{entry.sha256[:16]}"
    embedder = await SentenceTransformersEmbedder.open(folder, identity=identity)
    return EmbedderChoice(embedder, f"{entry.name}, in this process")


async def _of_folder_or_hub(settings: Settings, name: str) -> EmbedderChoice:
    _require_package(name)
    from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder

    folder = _folder(name)
    if folder is not None:
        embedder = await SentenceTransformersEmbedder.open(folder)
        return EmbedderChoice(embedder, f"{embedder.info.model} from {folder}, in this process")
    embedder = await SentenceTransformersEmbedder.open(name, hub_url=settings.hub_url)
    return EmbedderChoice(embedder, f"{name} from {settings.hub_url}, in this process")


def _folder(name: str) -> Path | None:
    """The folder that is meant, None where the name is one of the hub."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or folder.exists():
        raise ModelNotFoundError(f"{name} is no folder with a model for embeddings")
    return None


def can_run_models() -> bool:
    """Whether models for embeddings can run in this process."""
    return importlib.util.find_spec("sentence_transformers") is not None


def _require_package(model: str) -> None:
    if not can_run_models():
        raise ConfigError(
            f"{model} needs sentence-transformers, which is not installed; install it with: pip install "
            "'longdoc[local]', or set a server (LDA_EMBEDDING_BASE_URL)"
        )
