"""A sentence-transformers model in this process, on the GPU where there is one.

Owns loading and running; where a model of a hub is fetched to is `embedder_hub`'s, what a folder holds
`embedder_folder`'s, so that what the model is, is known without loading torch.
"""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from longdoc.engines.embedder import EmbedderInfo, unit_rows
from longdoc.engines.embedder_batches import gather_or_cancel
from longdoc.engines.embedder_folder import read_model_folder
from longdoc.engines.embedder_hub import HUB_URL, fetch_snapshot
from longdoc.errors import ConfigError, EngineUnavailableError
from longdoc.openmp import set_waiting

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 64
_WITHIN_WORD = "##"
_FEWEST_PIECES = 600
"""Of a script that a vocabulary was made for: the English one of BERT has 488 Chinese characters."""
_QUIET = {  # read when the packages are loaded
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}


class SentenceTransformersEmbedder:
    """A model in a folder. Made by `open`; loaded at the first call, which therefore takes longer.

    One batch runs at a time, in a thread of its own; a cancelled call ends with its batch.
    """

    def __init__(self, folder: Path, info: EmbedderInfo, *, device: str | None = None, batch: int = _BATCH) -> None:
        self._folder = folder
        self._info = info
        self._device = device
        self._batch = batch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._model: SentenceTransformer | None = None
        self._scripts: frozenset[str] | None = None

    @classmethod
    async def open(
        cls,
        name: str | Path,
        *,
        revision: str | None = None,
        identity: str | None = None,
        device: str | None = None,
        batch: int = _BATCH,
        hub_url: str = HUB_URL,
    ) -> SentenceTransformersEmbedder:
        """Find a model: a folder, or the name of one on the hub, which is fetched unless it is in the hub's cache.

        `device` is torch's name for one, the best there is where None; `batch` is how many texts run at once.
        `identity` is made from the folder's files, or from name and revision on the hub, where not given.
        Raises `ConfigError` where the package is missing or the folder holds no such model, `ModelNotFoundError`,
        `EngineAuthError`, `EngineUnavailableError` where the hub cannot be reached (or must not, HF_HUB_OFFLINE).
        """
        folder, info = await asyncio.to_thread(_describe, name, revision=revision, identity=identity, hub_url=hub_url)
        return cls(folder, info, device=device, batch=batch)

    @property
    def info(self) -> EmbedderInfo:
        """See `Embedder`."""
        return self._info

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`. What lies beyond `info.max_tokens` is not read. Raises `ConfigError` where loading fails."""
        vectors = np.zeros((len(texts), self._info.dimensions), np.float32)
        places = sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True)

        async def fill(batch: list[int]) -> None:
            loop = asyncio.get_running_loop()
            vectors[batch] = await loop.run_in_executor(self._thread, self._encode, [texts[place] for place in batch])

        starts = range(0, len(places), self._batch)  # texts of a like length together: shorter ones are filled up
        await gather_or_cancel(fill(places[start : start + self._batch]) for start in starts)
        return vectors

    async def aclose(self) -> None:
        """See `Embedder`. Waits for a batch under way."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._model = None

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        if self._model is None:
            self._model = _load(self._folder, device=self._device)
            self._scripts = _known_scripts(getattr(self._model, "tokenizer", None))
        encoded = self._model.encode(texts, batch_size=self._batch, show_progress_bar=False, convert_to_numpy=True)
        vectors = np.asarray(encoded, np.float32)
        if vectors.shape[1] != self._info.dimensions:
            raise ConfigError(
                f"{self._folder}: the model gives {vectors.shape[1]} dimensions where its files say "
                f"{self._info.dimensions}"
            )
        if not np.isfinite(vectors).all():
            raise EngineUnavailableError(f"{self._info.model} gave vectors that hold no numbers")
        if self._scripts is not None:
            vectors[[_is_foreign(text, self._scripts) for text in texts]] = 0.0
        return unit_rows(vectors)


def _known_scripts(tokenizer: object) -> frozenset[str] | None:
    """The scripts that a vocabulary was made for: those it has hundreds of pieces of. None where that cannot be told.

    WordPiece alone tells: it spells out in single letters what it has no pieces of, or makes one unknown token of it;
    vocabularies of bytes have pieces of every script, which do not look like it.
    """
    from transformers import PreTrainedTokenizerBase

    vocabulary = tokenizer.get_vocab() if isinstance(tokenizer, PreTrainedTokenizerBase) else {}
    if sum(piece.startswith(_WITHIN_WORD) for piece in vocabulary) < _FEWEST_PIECES:
        return None
    counts = Counter(script for piece in vocabulary for script in {*map(_script, piece.removeprefix(_WITHIN_WORD))})
    return frozenset(script for script, count in counts.items() if script and count >= _FEWEST_PIECES)


def _is_foreign(text: str, known: frozenset[str]) -> bool:
    """Whether most letters of a text are of scripts that are not known."""
    scripts = [script for script in map(_script, text) if script]
    return 2 * sum(script not in known for script in scripts) > len(scripts)


@lru_cache(maxsize=65_536)
def _script(character: str) -> str:
    """The script of a letter or of the mark of a vowel, by the first word of its name; empty for anything else."""
    script = unicodedata.name(character, "").split(" ")[0] if unicodedata.category(character)[0] in "LM" else ""
    return "" if script == "COMBINING" else script  # an accent is of no script


def _describe(
    name: str | Path, *, revision: str | None, identity: str | None, hub_url: str
) -> tuple[Path, EmbedderInfo]:
    folder, found = Path(name), None
    if not folder.is_dir():
        folder, found = fetch_snapshot(str(name), revision=revision, hub_url=hub_url)
    facts = read_model_folder(folder)
    named = identity or found or facts.identity()
    return folder, EmbedderInfo(
        "sentence-transformers", Path(name).name, named, facts.dimensions, max_tokens=facts.max_tokens
    )


def _load(folder: Path, *, device: str | None) -> SentenceTransformer:
    set_waiting()
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            f"{folder.name} needs sentence-transformers ({error}); install it with: pip install 'longdoc[local]'"
        ) from error
    try:
        return SentenceTransformer(str(folder), device=device, local_files_only=True)
    except (SafetensorError, UnpicklingError, OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise ConfigError(f"{folder}: sentence-transformers cannot load this model: {reason}") from error
