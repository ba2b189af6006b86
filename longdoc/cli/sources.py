"""From what was named on the command line to the files that are meant."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from longdoc.errors import ConfigError

STANDARD_INPUT = "-"
_SUFFIXES = {".epub", ".pdf", ".docx", ".odt", ".html", ".htm", ".xhtml", ".md", ".markdown", ".txt"}


def expand_sources(named: Sequence[str], *, out: Path | None = None, reader: str | None = None) -> list[str]:
    """Files as they are named; for a folder all documents in it and below, for a pattern what it matches; each once.

    With a `reader` of LlamaIndex all files of a folder count but hidden ones. What lies in `out`, where results go, is
    left out where that is inside a folder or below a pattern. Raises `ConfigError` where a folder or a pattern has
    none, and for an empty name.
    """
    return list(dict.fromkeys(source for name in named for source in _expand(name, out, reader)))


def is_there(name: str) -> bool:
    """Whether there is a file or a folder of this name; none has an empty one, or one longer than names may be."""
    try:
        return bool(name.strip()) and Path(name).exists()
    except OSError:
        return False


def _expand(name: str, out: Path | None, reader: str | None) -> Iterator[str]:
    path = Path(name)
    if not name.strip():
        raise ConfigError("the name of a file is empty; say which one is meant")
    if name == STANDARD_INPUT or "://" in name or (is_there(name) and path.is_file()):
        yield name
    elif is_there(name) and path.is_dir():
        is_meant = _is_document if reader is None else _is_shown
        documents = (file for file in path.rglob("*") if is_meant(file.relative_to(path)) and file.is_file())
        found = sorted(str(file) for file in documents if not _is_result(file, out, path))
        if not found:
            kinds = f" ({', '.join(sorted(_SUFFIXES))})" if reader is None else ""
            raise ConfigError(f"the folder {name} holds no documents{kinds}")
        yield from found
    elif glob.has_magic(name):
        matching = (file for file in glob.glob(name, recursive=True) if Path(file).is_file())  # noqa: PTH207 any root
        found = sorted(file for file in matching if not _is_result(Path(file), out, _fixed_part(path)))
        if not found:
            raise ConfigError(f"nothing matches {name}")
        yield from found
    else:
        yield name  # reading it says what is wrong with it


def _is_document(file: Path) -> bool:
    """Whether it is of a kind that our own readers know."""
    return file.suffix.lower() in _SUFFIXES


def _is_shown(file: Path) -> bool:
    """Whether neither it nor a folder that it is in is hidden."""
    return not any(part.startswith(".") for part in file.parts)


def _is_result(file: Path, out: Path | None, root: Path) -> bool:
    """Whether a file found under `root` is what an earlier run wrote."""
    if out is None or root.resolve() not in out.resolve().parents:
        return False
    return file.resolve().is_relative_to(out.resolve())


def _fixed_part(pattern: Path) -> Path:
    """The folder in which everything lies that a pattern matches."""
    return Path(*takewhile(lambda part: not glob.has_magic(part), pattern.parts))
