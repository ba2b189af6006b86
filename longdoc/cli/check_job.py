"""The job behind `lda check`: claims read, checked and shown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from longdoc.app.bootstrap import Workspace
from longdoc.app.check import check_claims, estimate_checks
from longdoc.app.finding import AskOptions
from longdoc.app.shelf import Shelf
from longdoc.cli.asked_documents import AskedDocuments
from longdoc.cli.check_output import CheckEstimateOutput, CheckOutput
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import Output, OutputFormat, Results
from longdoc.cli.run_view import RunView
from longdoc.cli.session import run_session
from longdoc.cli.sources import is_there
from longdoc.errors import ConfigError

_COMMAND = "check"


def claims_in(file: Path | None) -> list[str]:
    """The claims in a file, one in each line that is not empty. Raises `ConfigError`."""
    if file is None:
        return []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the claims in {file} cannot be read: {error}") from error
    claims = [line.strip() for line in lines if line.strip()]
    if not claims:
        raise ConfigError(f"{file} holds no claims; write one in each line")
    return claims


def split_claim(words: Sequence[str], claims: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sources and claims: without a file of claims the last word is the claim. Raises `ConfigError`."""
    if claims:
        return list(words), list(claims)
    if not words or not words[-1].strip() or is_there(words[-1]):
        raise ConfigError('say what you claim: lda check PATH "claim", or --claims FILE')
    return list(words[:-1]), [words[-1].strip()]


@dataclass(frozen=True)
class CheckJob:
    """What was asked for on the command line."""

    sources: Sequence[str]
    claims: Sequence[str]
    collection: str | None
    options: AskOptions
    run: RunOptions
    form: OutputFormat
    reader: str | None = None

    def start(self) -> ExitCode:
        """Read the documents, then check every claim. Raises `LdaError`."""
        asked = AskedDocuments.read(self.sources, self.collection, database=self.run.database, reader=self.reader)

        async def work(workspace: Workspace) -> ExitCode:
            with closing(await asked.shelf(workspace.records)) as shelf:
                return await self._check(workspace, shelf)

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    async def _check(self, workspace: Workspace, shelf: Shelf) -> ExitCode:
        results = Results(_COMMAND, self.form, self.run.out, sources=[shelf.title])
        output: Output
        if self.run.dry_run:
            estimate = await estimate_checks(workspace, shelf, self.claims, self.options)
            output = CheckEstimateOutput(shelf, estimate, workspace.engine.info)
        else:
            with RunView(shelf.title, quiet=self.run.quiet) as view:
                result = await check_claims(
                    workspace, shelf, self.claims, self.options, fresh=self.run.fresh, emit=view.emit
                )
                view.finish(result.run_id, result.usage)
            output = CheckOutput(result, shelf)
        results.add(0, output)
        results.close()
        return results.code
