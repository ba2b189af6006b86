"""The index beside what else runs in a process: other threads, and a model whose library brings threads of its own."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from longdoc.errors import StorageError
from longdoc.retrieval.faiss_index import FaissIndex
from tests.models import require_model

DIMENSIONS = 16


def unit(count: int, *, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSIONS), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_searching_goes_on_while_the_index_grows_from_kind_to_kind() -> None:
    index = FaissIndex(DIMENSIONS, identity="model", exact_up_to=500)
    first, more = unit(400, seed=1), unit(8000, seed=2)
    index.add(np.arange(400), first)
    added = threading.Event()
    missed: list[int] = []

    def search() -> None:
        while not added.is_set():
            _, ids = index.search(first[:8], k=1)
            missed.extend(np.flatnonzero(ids[:, 0] != np.arange(8)))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(0, 8000, 250):
        index.add(np.arange(1000 + start, 1250 + start), more[start : start + 250])
    added.set()
    for thread in threads:
        thread.join()
    assert missed == []
    assert (index.kind, len(index)) == ("approximate", 8400)


def test_texts_are_found_by_their_meaning() -> None:
    """The model and the index each bring OpenMP; they run in one process."""
    told = [
        "Mother bakes bread on Saturday mornings.",
        "The ferry was cancelled because of the storm.",
        "He was born in a village near Turin in 1921.",
        "Our cat sleeps on the warm radiator.",
    ]
    asked = ["Where does he come from?", "Why did no boat leave?", "What does the pet like?", "Who makes the loaves?"]

    async def find() -> list[int]:
        embedder = await SentenceTransformersEmbedder.open(require_model("minilm-l6"), device="cpu")
        index = FaissIndex(embedder.info.dimensions, identity=embedder.info.identity, exact_up_to=2)
        try:
            await asyncio.to_thread(index.add, np.arange(len(told)), await embedder.embed(told))
            _, ids = await asyncio.to_thread(index.search, await embedder.embed(asked), k=1)
        finally:
            await embedder.aclose()
        return ids[:, 0].tolist()

    assert asyncio.run(find()) == [2, 1, 3, 0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("vectors", [5, 5000])
def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path: Path, vectors: int) -> None:
    index = FaissIndex(DIMENSIONS, identity="model")
    index.add(np.arange(vectors), unit(vectors, seed=1))
    part = tmp_path / ".dense.index.part"
    part.symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left on device; make room"):
        index.save(tmp_path / "dense.index")
    assert not part.is_symlink()
    assert not (tmp_path / "dense.index").exists()


def test_without_faiss_it_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['faiss'] = None\n"
        "from longdoc.errors import ConfigError\n"
        "try:\n    import longdoc.retrieval.faiss_index\n"
        "except ConfigError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'longdoc[local]'" in done.stdout
