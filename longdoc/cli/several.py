"""Doing the same with several inputs, so that one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import typer

from longdoc.cli.exits import ExitCode, exit_code
from longdoc.errors import LdaError

T = TypeVar("T")


class Attempts:
    """Collects failures of independent jobs; a single job (`alone`) simply fails.

    What the next job could not survive either (a spent budget, a lost engine, a wrong setting) is not collected.
    """

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self.code = ExitCode.DONE

    async def value(self, job: Awaitable[T]) -> T | None:
        """The job's result; None, and a line on standard error, when it failed on its own account."""
        try:
            return await job
        except LdaError as error:
            code = exit_code(error)
            if self._alone or code is not ExitCode.FAILED:
                raise
            typer.echo(f"lda: {error}", err=True)
            self.code = code
            return None
