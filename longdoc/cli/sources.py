"""From what was named on the command line to the files that are meant."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from longdoc.errors import ConfigError

STANDARD_INPUT = "-"
_SUFFIXES = {".epub", ".pdf", ".docx", ".odt", ".html", ".htm", ".xhtml", ".md", ".markdown", ".txt"}


def expand_sources(named: Sequence[str]) -> list[str]:
    """Files as they are named; for a folder all documents in it and below, for a pattern what it matches; each once.

    Raises `ConfigError` where a folder or a pattern has none.
    """
    return list(dict.fromkeys(source for name in named for source in _expand(name)))


def _expand(name: str) -> Iterator[str]:
    path = Path(name)
    if name == STANDARD_INPUT or path.is_file():
        yield name
    elif path.is_dir():
        found = sorted(str(file) for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
        if not found:
            raise ConfigError(f"the folder {name} holds no documents ({', '.join(sorted(_SUFFIXES))})")
        yield from found
    elif glob.has_magic(name):
        found = sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())  # noqa: PTH207 any root
        if not found:
            raise ConfigError(f"nothing matches {name}")
        yield from found
    else:
        yield name  # reading it says what is wrong with it
