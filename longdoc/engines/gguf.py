"""Reads the head of a GGUF file: what a model is, without loading it.

Format: github.com/ggml-org/ggml, docs/gguf.md (versions 2 and 3). Reading stops at the tokenizer, which comes after
everything wanted here and is most of the head.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from longdoc.errors import ConfigError

_MAGIC = b"GGUF"
_VERSIONS = {2, 3}
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING = 8
_ARRAY = 9
_LONGEST = 1 << 24
_MOST_ENTRIES = 1 << 16
_KV_BYTES = 2
_SIZES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_SIZE_LABEL = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)([KMBT])")

Value: TypeAlias = "bool | int | float | str | list[Value]"


@dataclass(frozen=True, slots=True)
class GgufModel:
    """What the head tells. `kv_bytes_per_token` is what one token takes in a 16-bit cache of keys and values.

    `parameters` is about how many there are, None where the head does not tell.
    """

    name: str
    architecture: str
    context_window: int
    kv_bytes_per_token: int
    parameters: float | None = None


def read_gguf(path: Path) -> GgufModel:
    """Read the head of a model file. Raises `ConfigError` for anything that is no whole head of a language model."""
    try:
        with path.open("rb") as file:
            return _model(_read_metadata(file), path)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such model file") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except _BrokenError as error:
        raise ConfigError(f"{path}: {error}") from error


class _BrokenError(Exception):
    """The head breaks the format."""


def _read_metadata(file: BinaryIO) -> dict[str, Value]:
    if file.read(4) != _MAGIC:
        raise _BrokenError("is no GGUF model file")
    version = _number(file, "<I")
    if version not in _VERSIONS:
        raise _BrokenError(f"is of GGUF version {version}, which is not known here")
    _number(file, "<Q")  # the number of tensors
    values: dict[str, Value] = {}
    for _ in range(_bounded(_number(file, "<Q"), _MOST_ENTRIES)):
        key = _string(file)
        if key.startswith("tokenizer."):
            break
        values[key] = _value(file, int(_number(file, "<I")))
    return values


def _value(file: BinaryIO, kind: int) -> Value:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner = int(_number(file, "<I"))
        return [_value(file, inner) for _ in range(_bounded(_number(file, "<Q"), _LONGEST))]
    if kind not in _SCALARS:
        raise _BrokenError("has a broken head (unknown type of value)")
    return _number(file, _SCALARS[kind])


def _number(file: BinaryIO, form: str) -> bool | int | float:
    return struct.unpack(form, _exactly(file, struct.calcsize(form)))[0]


def _string(file: BinaryIO) -> str:
    return _exactly(file, _bounded(_number(file, "<Q"), _LONGEST)).decode("utf-8", "replace")


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise _BrokenError("is cut short; fetch it again")
    return data


def _bounded(size: float, limit: int) -> int:
    if not 0 <= size <= limit:
        raise _BrokenError("has a broken head (a size beyond reason)")
    return int(size)


def _model(values: Mapping[str, Value], path: Path) -> GgufModel:
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise _BrokenError("does not tell its architecture")
    shape = {key.removeprefix(f"{architecture}."): value for key, value in values.items()}
    window = shape.get("context_length")
    if not isinstance(window, int) or window < 1:
        raise _BrokenError("does not tell its context window; is it a language model?")
    name = values.get("general.name")
    return GgufModel(
        name if isinstance(name, str) and name else path.stem,
        architecture,
        window,
        _kv_bytes(shape),
        _parameters(values.get("general.size_label")),
    )


def _parameters(label: Value | None) -> float | None:
    """The number that a label such as 135M, 1.5B or 8x7B stands for."""
    found = _SIZE_LABEL.fullmatch(label) if isinstance(label, str) else None
    return None if found is None else int(found[1] or 1) * float(found[2]) * _SIZES[found[3]]


def _kv_bytes(shape: Mapping[str, Value]) -> int:
    """Keys and values of all layers. Models with sliding windows or states take less than this tells."""
    layers, width = _whole(shape.get("block_count"), 1), _whole(shape.get("embedding_length"), 1)
    heads = _per_layer(shape.get("attention.head_count"), layers, default=1)
    kv_heads = _per_layer(shape.get("attention.head_count_kv"), layers, default=heads[0])
    size = width // max(1, *heads)
    key, value = (_whole(shape.get(f"attention.{part}_length"), size) for part in ("key", "value"))
    return sum(kv_heads) * (key + value) * _KV_BYTES


def _per_layer(value: Value | None, layers: int, *, default: int) -> list[int]:
    if isinstance(value, list):
        return [_whole(item, default) for item in value] or [default] * layers
    return [_whole(value, default)] * layers


def _whole(value: Value | None, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
