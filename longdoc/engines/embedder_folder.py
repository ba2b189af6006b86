"""What a folder of a sentence-transformers model holds, read from its small files without loading anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter, ValidationError

from longdoc.engines.checksums import folder_identity
from longdoc.errors import ConfigError

_OBJECT = TypeAdapter(dict[str, object])
_LIST = TypeAdapter(list[dict[str, object]])


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's folder, the length of its vectors, and the tokens it reads of a text (None where untold)."""

    folder: Path
    dimensions: int
    max_tokens: int | None

    def identity(self) -> str:
        """What names the weights."""
        return folder_identity(self.folder)


def read_model_folder(folder: Path) -> ModelFolder:
    """Describe a folder. Raises `ConfigError` where it holds no model whose vectors are told to have a length."""
    modules = _modules(folder)
    first = folder / str(modules[0].get("path", "")) if modules else folder
    config = _read(first / "config.json")
    dimensions = _number(config, "hidden_size", "dim", "d_model")
    for module in modules:
        dimensions = _output(module, folder / str(module.get("path", ""))) or dimensions
    if dimensions is None:
        raise ConfigError(f"{folder} holds no sentence-transformers model (its files tell no length of vectors)")
    told = _number(_read(first / "sentence_bert_config.json"), "max_seq_length")
    return ModelFolder(folder, dimensions, told or _number(config, "max_position_embeddings", "n_positions"))


def _modules(folder: Path) -> list[dict[str, object]]:
    path = folder / "modules.json"
    try:
        return _LIST.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{path} cannot be read; the model may be damaged") from error


def _read(path: Path) -> Mapping[str, object]:
    try:
        return _OBJECT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{path} cannot be read; the model may be damaged") from error


def _output(module: Mapping[str, object], folder: Path) -> int | None:
    """The length of a module's vectors where it changes them, None elsewhere."""
    kind = str(module.get("type", "")).rpartition(".")[2]
    if kind == "Dense":
        return _number(_read(folder / "config.json"), "out_features")
    if kind == "Pooling":
        config = _read(folder / "config.json")
        length = _number(config, "embedding_dimension", "word_embedding_dimension")
        return None if length is None else length * _poolings(config)
    return None


def _poolings(config: Mapping[str, object]) -> int:
    """How many vectors a pooling puts side by side; older files have a flag for each kind."""
    modes = config.get("pooling_mode")
    if isinstance(modes, list):
        return len(cast("list[object]", modes))
    flags = [value for name, value in config.items() if name.startswith("pooling_mode_")]
    return max(1, flags.count(True))


def _number(config: Mapping[str, object], *names: str) -> int | None:
    found = (config.get(name) for name in names)
    return next((value for value in found if isinstance(value, int) and value > 0), None)
