import contextlib
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.engines.gguf import read_gguf
from longdoc.errors import ConfigError
from tests.models import require_model

MODEL: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "Tiny Test",
    "general.quantized": True,
    "llama.context_length": 4096,
    "llama.block_count": 10,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
    "llama.rope.freq_base": 10000.0,
    "tokenizer.ggml.tokens": ["a", "b"],
}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def encoded(value: Any) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + text(value)
        case _:
            items = [encoded(item) for item in value]
            return struct.pack("<I", 9) + items[0][:4] + struct.pack("<Q", len(items)) + b"".join(i[4:] for i in items)


def gguf(values: dict[str, Any], *, version: int = 3) -> bytes:
    body = b"".join(text(key) + encoded(value) for key, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(values)) + body


def written(path: Path, data: bytes) -> Path:
    file = path / "model.gguf"
    file.write_bytes(data)
    return file


def test_the_head_tells_name_window_and_cache_size(tmp_path: Path) -> None:
    model = read_gguf(written(tmp_path, gguf(MODEL)))
    assert (model.name, model.architecture, model.context_window) == ("Tiny Test", "llama", 4096)
    assert model.kv_bytes_per_token == 10 * 2 * (8 + 8) * 2


def test_heads_may_differ_by_layer_and_be_of_their_own_size(tmp_path: Path) -> None:
    shape = {
        "llama.attention.key_length": 16,
        "llama.attention.value_length": 32,
        **MODEL,
        "llama.attention.head_count_kv": [1, 2, 3],
    }
    assert read_gguf(written(tmp_path, gguf(shape))).kv_bytes_per_token == 6 * 48 * 2


def test_reading_stops_at_the_tokenizer(tmp_path: Path) -> None:
    whole = gguf(MODEL)
    cut = whole[: whole.index(b"tokenizer.") + len("tokenizer.ggml.tokens")]
    assert read_gguf(written(tmp_path, cut)).context_window == 4096


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no GGUF"),
        (b"PK\x03\x04 a zip file", "no GGUF"),
        (b"GGUF", "cut short"),
        (gguf(MODEL)[:100], "cut short"),
        (gguf(MODEL, version=9), "version 9"),
        (gguf({"general.name": "x"}), "architecture"),
        (gguf({"general.architecture": "clip"}), "context window"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), "beyond reason"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 60), "beyond reason"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("key") + struct.pack("<I", 99), "unknown type"),
    ],
)
def test_what_is_no_model_is_told_in_a_line(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_gguf(written(tmp_path, data))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such model file"):
        read_gguf(tmp_path / "missing.gguf")


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_gguf(tmp_path)


@given(st.binary(max_size=300))
def test_damage_anywhere_is_a_clear_error_or_harmless(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    whole = gguf(MODEL)
    place = len(noise) * 7 % (len(whole) - 4) + 4
    file = written(tmp_path_factory.mktemp("gguf"), whole[:place] + noise + whole[place + len(noise) :])
    with contextlib.suppress(ConfigError):
        assert read_gguf(file).context_window > 0


def test_the_real_model_is_read() -> None:
    model = read_gguf(require_model())
    assert (model.architecture, model.context_window) == ("llama", 8192)
    assert model.kv_bytes_per_token == 30 * 3 * (64 + 64) * 2


@pytest.mark.parametrize(
    ("label", "parameters"), [("135M", 135e6), ("1.5B", 1.5e9), ("8x7B", 56e9), ("large", None), (7, None)]
)
def test_the_head_tells_about_how_many_parameters_there_are(
    label: object, parameters: float | None, tmp_path: Path
) -> None:
    model = read_gguf(written(tmp_path, gguf({"general.size_label": label, **MODEL})))
    assert model.parameters == parameters
