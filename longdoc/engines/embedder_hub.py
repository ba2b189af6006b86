"""Fetching a sentence-transformers model from a hub into the hub's own cache; every failure is translated here."""

from __future__ import annotations

import os
from pathlib import Path

from longdoc.errors import ConfigError, EngineAuthError, EngineUnavailableError, ModelNotFoundError

HUB_URL = "https://huggingface.co"
_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
_OLDER_WEIGHTS = ["*.bin"]
_OTHER_RUNTIMES = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*"]


def fetch_snapshot(name: str, *, revision: str | None = None, hub_url: str = HUB_URL) -> tuple[Path, str]:
    """The folder of a model, and its identity: name and commit.

    What is in the cache already is not fetched again. Blocks: run it in a thread. Raises `ConfigError`,
    `ModelNotFoundError`, `EngineAuthError`, `EngineUnavailableError`.
    """
    # Both are read when the package is loaded.
    for variable in ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(variable, "1")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    except ImportError as error:
        raise ConfigError(
            f"{name} needs sentence-transformers ({error}); install it with: pip install 'longdoc[local]'"
        ) from error

    def fetch(patterns: list[str]) -> Path:
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=patterns, ignore_patterns=_OTHER_RUNTIMES, endpoint=hub_url
            )
        )

    try:
        folder = fetch(_FILES)
        if not any(folder.rglob("*.safetensors")):
            folder = fetch(_FILES + _OLDER_WEIGHTS)
    except GatedRepoError as error:
        raise EngineAuthError(f"the hub gives {name} only to who accepted its terms; set HF_TOKEN") from error
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ModelNotFoundError(f"{name!r} is neither a folder nor a model of the hub at {hub_url}") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise EngineUnavailableError(
            f"{name} is not in the cache and the hub at {hub_url} cannot be reached; name a folder, or try again online"
        ) from error
    return folder, f"{name}@{folder.name}"
