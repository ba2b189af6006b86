"""Files of memories, one JSON object a line; `-` is standard input or output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

STANDARD: Final = "-"


def read_text(file: str) -> str:
    """What stands in a file, or on standard input. Raises `ConfigError`."""
    from longdoc.errors import ConfigError

    try:
        data = sys.stdin.buffer.read() if file == STANDARD else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name_of(file)} is no text in UTF-8; convert it, or name another file") from error
    except OSError as error:
        raise ConfigError(f"{name_of(file)} cannot be read: {error.strerror}; name another file") from error


def write_lines(lines: Iterable[str], file: str) -> None:
    """Write lines to a file. Raises `ConfigError`."""
    from longdoc.cli.output import write_file
    from longdoc.errors import ConfigError

    try:
        write_file("\n".join(lines), Path(file))
    except ConfigError as error:
        reason = str(error).removesuffix("; choose another --out")
        raise ConfigError(f"{reason}; choose another file") from error


def name_of(file: str) -> str:
    """How a file is called in messages."""
    return "standard input" if file == STANDARD else file or "a file without a name"
