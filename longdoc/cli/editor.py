"""Editing a text in the user's own editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from longdoc.errors import ConfigError

_USUAL = ("sensible-editor", "nano", "vim", "vi")
_ADVICE = "set EDITOR, or take the text from a file: --file"


def edit_text(text: str, *, suffix: str = ".md") -> str:
    """What a person makes of a text in $VISUAL or $EDITOR, else in an editor that is there.

    Raises `ConfigError` where there is none, or it fails.
    """
    command = _editor()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"lda{suffix}")
        path.write_text(text, encoding="utf-8")
        try:
            # The user's own command, as git and others run it.
            done = subprocess.run([*command, str(path)], check=False)  # noqa: S603
        except OSError as error:
            raise ConfigError(f"the editor {command[0]!r} cannot be started: {error.strerror}; {_ADVICE}") from error
        if done.returncode != 0:
            raise ConfigError(f"the editor {command[0]!r} ended with {done.returncode}; nothing was changed; {_ADVICE}")
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ConfigError(f"what the editor saved is not UTF-8: {error}; nothing was changed") from error


def keep_text(text: str, *, suffix: str = ".md") -> Path:
    """Leave a text in a file of its own; where it is."""
    with tempfile.NamedTemporaryFile("w", prefix="lda-", suffix=suffix, delete=False, encoding="utf-8") as file:
        file.write(text)
    return Path(file.name)


def _editor() -> list[str]:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    command = shlex.split(named) if named else [name for name in _USUAL if shutil.which(name)][:1]
    if not command:
        raise ConfigError(f"there is no editor; {_ADVICE}")
    return command
