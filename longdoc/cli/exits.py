"""Exit codes, and which error leads to which."""

from __future__ import annotations

from enum import IntEnum

from longdoc.errors import ConfigError, EngineAuthError, LdaError, ModelNotFoundError


class ExitCode(IntEnum):
    """What the process tells its caller."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    GAPS = 3
    RESUMABLE = 75
    INTERRUPTED = 130


def exit_code(error: LdaError) -> ExitCode:
    """The exit code of an error."""
    if isinstance(error, ConfigError | ModelNotFoundError | EngineAuthError):
        return ExitCode.USAGE
    if error.resumable:
        return ExitCode.RESUMABLE
    return ExitCode.FAILED
