"""Getting vLLM to run: its arguments, its log file, and what its failures at the start mean.

vLLM logs much, from several processes, to standard output; here all of it goes into one file, which is also where the
cause of a failed start is found. Asking it for answers is `vllm`'s.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from longdoc.engines.checksums import folder_identity
from longdoc.errors import ConfigError, EngineLostError, LdaError, ModelNotFoundError

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.v1.engine.async_llm import AsyncLLM

_TAIL_BYTES = 60_000
_SHOWN_CHARACTERS = 300
_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
}
_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|No available memory for the cache blocks|Free memory on device"
    r"|KV cache is needed, which is larger than the available|cannot allocate memory|VLLM_CPU_KVCACHE_SPACE",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"is not a local folder and is not a valid model identifier|Repository Not Found|RepositoryNotFound"
    r"|Repo id must|does not appear to have a file named|LocalEntryNotFound|offline mode|couldn't connect to"
    r"|is neither a local path|Invalid repository ID|No such file or directory: .*config\.json",
    re.IGNORECASE,
)
_LAST_LINE = re.compile(r"\b(\w*(?:Error|Exception)): (.+)")
INSTALL_HINT = "install it with: pip install 'longdoc[gpu]' (Linux with a CUDA device; elsewhere see docs/running.md)"


def log_path() -> Path:
    """Where vLLM's own log goes."""
    return Path(platformdirs.user_log_dir("longdoc")) / "vllm.log"


_RAW = "raw_logprobs"


def plan_engine(model: str, arguments: dict[str, object], *, context_window: int | None) -> VllmConfig:
    """What vLLM will run, before anything is loaded. Blocks for seconds: run it in a thread.

    Raises `ConfigError` for what vLLM does not take, `ModelNotFoundError`.
    """
    _quieten()
    try:
        from vllm.engine.arg_utils import AsyncEngineArgs
    except ImportError as error:
        raise ConfigError(f"vLLM cannot be loaded ({error}); {INSTALL_HINT}") from error
    usual: dict[str, object] = {
        "max_model_len": context_window,
        "enable_prefix_caching": True,
        "scheduling_policy": "priority",
        "max_logprobs": -1,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
    _check_names(arguments, set(AsyncEngineArgs.__dataclass_fields__))
    if arguments.get("logprobs_mode", _RAW) != _RAW:
        raise ConfigError(f"logprobs_mode has to be {_RAW}: segments are scored by what the model itself finds likely")
    try:
        chosen: dict[str, object] = {"model": model, **usual, **arguments}
        return AsyncEngineArgs(**chosen).create_engine_config()  # pyright: ignore[reportArgumentType]
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise translate_start(error, "", model) from error


def start_engine(config: VllmConfig, model: str) -> AsyncLLM:
    """Load the model and start vLLM's processes. Blocks for a minute and more: run it in a thread.

    Raises `ConfigError` where it cannot run so, `EngineLostError` where it died.
    """
    from vllm.v1.engine.async_llm import AsyncLLM

    logged = _size(log_path())
    try:
        return AsyncLLM.from_vllm_config(config)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise translate_start(error, _since(log_path(), logged), model) from error


def describe(config: VllmConfig) -> str:
    """Which vLLM this is, on what it runs and how it shares that out."""
    parallel = config.parallel_config
    sizes = {
        "tensor": parallel.tensor_parallel_size,
        "pipeline": parallel.pipeline_parallel_size,
        "data": parallel.data_parallel_size,
    }
    shared = "".join(f", {name} parallel {size}" for name, size in sizes.items() if size > 1)
    return f"vLLM {version()} on {config.device_config.device_type}{shared}"


def version() -> str:
    """The version of vLLM that is installed, under whatever name it was built for this machine."""
    names = importlib.metadata.packages_distributions().get("vllm", [])
    return importlib.metadata.version(names[0]) if names else "of unknown version"


def identity_of(config: VllmConfig, model: str) -> str:
    """What names the weights and how they are computed with: equal identity, equal answers."""
    told = config.model_config
    folder = Path(model)
    commit = getattr(told.hf_config, "_commit_hash", None)
    weights = folder_identity(folder) if folder.is_dir() else f"{model}@{commit}" if commit else model
    return f"{weights}:{str(told.dtype).removeprefix('torch.')}" + (
        f":{told.quantization}" if told.quantization else ""
    )


def translate_start(error: Exception, log: str, model: str) -> LdaError:
    """What a failure to start means, by the error and by what the log says since."""
    told = f"{error}\n{log}"
    cause = _cause(error, log)
    if _MEMORY.search(told):
        return ConfigError(
            f"vLLM has not enough memory for {model} ({cause}); set a smaller context_window, a larger or smaller "
            "gpu_memory_utilization in [vllm], quantization, or tensor_parallel_size over more devices"
        )
    if _NO_MODEL.search(told):
        return ModelNotFoundError(
            f"vLLM finds no model {model}; name a folder with a model, or one of the hub (its name is 'maker/model')"
        )
    if isinstance(error, ValueError | TypeError | ImportError) or "max_model_len" in told:
        return ConfigError(f"vLLM cannot run {model} so: {cause}; look at [vllm] in lda.toml and at context_window")
    return EngineLostError(f"vLLM did not start: {cause}; all it said is in {log_path()}")


def _check_names(arguments: dict[str, object], known: set[str]) -> None:
    unknown = sorted(arguments.keys() - known)
    if unknown:
        raise ConfigError(
            f"this version of vLLM has no engine argument {', '.join(unknown)}; look at [vllm.arguments] in lda.toml"
        )


def _quieten() -> None:
    """Send vLLM's logging to its file, before vLLM is imported; its processes inherit that."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "VLLM_LOGGING_CONFIG_PATH" in os.environ:
        return
    path = log_path()
    settings = path.with_name("vllm-logging.json")
    handler = {"class": "logging.FileHandler", "filename": str(path), "formatter": "plain", "encoding": "utf-8"}
    wanted = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"}},
        "handlers": {"file": handler},
        "loggers": {"vllm": {"handlers": ["file"], "level": "INFO", "propagate": False}},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps(wanted), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write vLLM's log to {path.parent}: {error.strerror or error}") from error
    os.environ["VLLM_LOGGING_CONFIG_PATH"] = str(settings)


def _cause(error: Exception, log: str) -> str:
    """The last error that the log tells, else the error itself, on one line."""
    found = _LAST_LINE.findall(log)
    told = next((text for _, text in reversed(found) if "See root cause above" not in text), str(error))
    return " ".join(told.split())[:_SHOWN_CHARACTERS]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _since(path: Path, start: int) -> str:
    """What was written to a file after its first `start` bytes, at most the end of it."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(start, path.stat().st_size - _TAIL_BYTES))
        return file.read().decode("utf-8", "replace")
