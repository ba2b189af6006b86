"""Models in folders and on a hub: described without loading, quiet, and with clear errors."""

import asyncio
import json
import os
import subprocess
import sys
import unicodedata
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from longdoc.engines.embedder_folder import read_model_folder
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from longdoc.errors import ConfigError
from tests.models import require_model
from tests.servers.snapshot_hub import COMMIT, snapshot_hub

TRANSFORMER = {"path": "", "type": "sentence_transformers.models.Transformer"}
POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
DENSE = {"path": "2_Dense", "type": "sentence_transformers.base.modules.dense.Dense"}
FLAGS = {"word_embedding_dimension": 8, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def files(modules: list[dict[str, str]], **contents: dict[str, object]) -> dict[str, bytes]:
    """A model's files; the names of `contents` have `__` for a slash."""
    named = {name.replace("__", "/") + "/config.json": content for name, content in contents.items()}
    parts: dict[str, object] = {
        "modules.json": modules,
        "config.json": {"hidden_size": 8, "max_position_embeddings": 512},
        "sentence_bert_config.json": {"max_seq_length": 128},
        **named,
    }
    return {path: json.dumps(content).encode() for path, content in parts.items()} | {"model.safetensors": b"weights"}


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def python(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    ("contents", "dimensions"),
    [
        (files([TRANSFORMER, POOLING], **{"1_Pooling": FLAGS}), 8),
        (files([TRANSFORMER, POOLING], **{"1_Pooling": FLAGS | {"pooling_mode_cls_token": True}}), 16),
        (files([TRANSFORMER, POOLING], **{"1_Pooling": {"embedding_dimension": 8, "pooling_mode": "cls"}}), 8),
        (
            files([TRANSFORMER, POOLING], **{"1_Pooling": {"embedding_dimension": 8, "pooling_mode": ["cls", "max"]}}),
            16,
        ),
        (files([TRANSFORMER, POOLING, DENSE], **{"1_Pooling": FLAGS, "2_Dense": {"out_features": 5}}), 5),
        ({"config.json": b'{"hidden_size": 12}'}, 12),
    ],
    ids=["older flags", "two flags", "mode", "two modes", "dense", "plain transformer"],
)
def test_dimensions_are_read_from_the_files(tmp_path: Path, contents: dict[str, bytes], dimensions: int) -> None:
    found = read_model_folder(write(tmp_path, contents))
    assert found.dimensions == dimensions
    assert found.max_tokens == (128 if "modules.json" in contents else None)


@pytest.mark.parametrize("contents", [{}, {"modules.json": b"{"}, {"config.json": b"[]"}, {"config.json": b"{}"}])
def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path, contents: dict[str, bytes]) -> None:
    with pytest.raises(ConfigError, match=r"holds no sentence-transformers model|cannot be read"):
        asyncio.run(SentenceTransformersEmbedder.open(write(tmp_path, contents)))


def test_identity_is_of_the_weights_and_of_how_they_are_used(tmp_path: Path) -> None:
    model = files([TRANSFORMER, POOLING], **{"1_Pooling": FLAGS})
    one, copy = (read_model_folder(write(tmp_path / name / "model", model)) for name in ("a", "b"))
    assert one.identity() == copy.identity()
    assert one.identity().startswith("model:7:")
    for change in (
        {"model.safetensors": b"WEIGHTS"},
        {"1_Pooling/config.json": json.dumps({**FLAGS, "x": 1}).encode()},
    ):
        changed = read_model_folder(write(tmp_path / "c" / "model", model | change))
        assert changed.identity() != one.identity()


_DESCRIBES = """
import asyncio, sys
from pathlib import Path
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder

async def main():
    embedder = await SentenceTransformersEmbedder.open(Path(sys.argv[1]))
    print(embedder.info.dimensions, embedder.info.max_tokens, {"torch", "sentence_transformers"} & set(sys.modules))
    await embedder.aclose()

asyncio.run(main())
"""


def test_what_a_model_is_is_known_without_loading_torch() -> None:
    assert python(_DESCRIBES, str(require_model("minilm-l6"))).stdout == "384 256 set()\n"


_EMBEDS = """
import asyncio, sys
from pathlib import Path
if sys.argv[2:]:
    sys.modules[sys.argv[2]] = None  # as if it were not installed
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from longdoc.errors import LdaError

async def main():
    embedder = await SentenceTransformersEmbedder.open(Path(sys.argv[1]))
    try:
        await embedder.embed(["one", "two " * 1000])
    except LdaError as error:
        print(type(error).__name__, error)
    await embedder.aclose()

asyncio.run(main())
"""


def test_embedding_says_nothing() -> None:
    done = python(_EMBEDS, str(require_model("minilm-l6")))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_package_it_says_what_to_install() -> None:
    done = python(_EMBEDS, str(require_model("minilm-l6")), "sentence_transformers")
    assert done.stdout.startswith("ConfigError minilm-l6 needs sentence-transformers")
    assert "pip install 'longdoc[local]'" in done.stdout


def test_damaged_weights_are_a_clear_error(tmp_path: Path) -> None:
    real = require_model("minilm-l6")
    for path in real.rglob("*"):
        if path.is_file():
            content = b"damaged" if path.suffix == ".safetensors" else path.read_bytes()
            write(tmp_path, {str(path.relative_to(real)): content})
    done = python(_EMBEDS, str(tmp_path))
    assert done.stdout.startswith(f"ConfigError {tmp_path}: sentence-transformers cannot load this model")
    assert done.stdout.count("\n") == 1


def test_it_can_be_closed_before_and_after_use_and_twice() -> None:
    async def use(texts: list[str]) -> None:
        embedder = await SentenceTransformersEmbedder.open(require_model("minilm-l6"))
        await embedder.embed(texts)
        await embedder.aclose()
        await embedder.aclose()

    asyncio.run(use([]))
    asyncio.run(use(["a text"]))


_OPENS = """
import asyncio, sys
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from longdoc.errors import LdaError

async def main():
    try:
        embedder = await SentenceTransformersEmbedder.open(sys.argv[1], hub_url=sys.argv[2])
    except LdaError as error:
        print(type(error).__name__, error)
    else:
        print(embedder.info.model, embedder.info.identity, embedder.info.dimensions)

asyncio.run(main())
"""
MODEL = files([TRANSFORMER, POOLING], **{"1_Pooling": FLAGS})
OLDER = {path: content for path, content in MODEL.items() if path != "model.safetensors"}
NO_HUB = "http://127.0.0.1:9"


@pytest.mark.parametrize("contents", [MODEL, OLDER | {"pytorch_model.bin": b"weights"}], ids=["safetensors", "bin"])
def test_a_model_of_the_hub_is_fetched_once(tmp_path: Path, contents: dict[str, bytes]) -> None:
    told = f"model maker/model@{COMMIT} 8\n"
    with snapshot_hub({"maker/model": contents | {"onnx/model.onnx": b"another runtime's"}}) as url:
        done = python(_OPENS, "maker/model", url, HF_HOME=str(tmp_path))
    assert (done.stdout, done.stderr) == (told, "")
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert "model.onnx" not in names
    assert {"model.safetensors", "pytorch_model.bin"} & contents.keys() <= names
    assert python(_OPENS, "maker/model", NO_HUB, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1").stdout == told


@pytest.mark.parametrize("name", ["maker/other", "no such name", "a/b/c"])
def test_a_model_the_hub_does_not_have_is_not_found(tmp_path: Path, name: str) -> None:
    with snapshot_hub({"maker/model": MODEL}) as url:
        done = python(_OPENS, name, url, HF_HOME=str(tmp_path))
    assert done.stdout.startswith(f"ModelNotFoundError '{name}' is neither a folder nor a model of the hub")
    assert done.stderr == ""


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_hub_out_of_reach_is_unavailable(tmp_path: Path, offline: str) -> None:
    done = python(_OPENS, "maker/model", NO_HUB, HF_HOME=str(tmp_path), HF_HUB_OFFLINE=offline)
    assert done.stdout.startswith("EngineUnavailableError maker/model is not in the cache")
    assert done.stderr == ""


def test_a_script_that_the_model_was_not_made_for_is_like_nothing() -> None:
    texts = [
        "Der Zug fährt nach Besançon, où il fait très froid.",
        "Князь Андрей остановился и посмотрел на небо.",
        "你还记得我上次去北京旅行的时候吃了什么吗?",
        "어제 서울에서 김치를 먹었어요.",
        "我是中国人，我在北京大学学习中文。",
        "私は東京大学の学生です。",
        "मैं दिल्ली में रहता हूँ",
        "KJV, XQZ",
        unicodedata.normalize("NFD", "Tôi thích uống cà phê sữa đá"),
        "Invoice 12345-67, 2021-05-04: 3 x a1b2, EUR 4.50",
        "Kiki the cat sleeps.",
        "",
    ]

    async def lengths() -> list[float]:
        embedder = await SentenceTransformersEmbedder.open(require_model("minilm-l6"))
        async with aclosing(embedder):
            return np.linalg.norm(await embedder.embed(texts), axis=1).tolist()

    assert asyncio.run(lengths()) == pytest.approx([1.0, *[0.0] * 6, *[1.0] * 5], abs=1e-5)
