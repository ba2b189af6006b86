"""The job behind `lda do`: a request planned, the plan shown, and carried out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from longdoc.app.bootstrap import Workspace
from longdoc.app.orchestrator import Capability, DoRequest, WorkPlan, carry_out, plan_without_calls, plan_work
from longdoc.app.shelf import shelf_of_collection
from longdoc.app.work_estimate import estimate_work
from longdoc.cli.do import DoOptions
from longdoc.cli.do_output import DoOutput, PlanOutput, plan_lines
from longdoc.cli.do_view import StepView
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import Output, OutputFormat, Results
from longdoc.cli.reading import read_sources
from longdoc.cli.record import with_records
from longdoc.cli.render import stderr_console
from longdoc.cli.session import run_session
from longdoc.cli.sources import STANDARD_INPUT, is_there
from longdoc.cli.terminal_lines import read_line
from longdoc.documents.limits import Limits
from longdoc.errors import ConfigError

_COMMAND = "do"
_NO = {"n", "no", "nein", "non"}


def read_instruction(given: str) -> str:
    """What is wanted, as given or from standard input. Raises `ConfigError` where it is empty, too much or a file."""
    if given == STANDARD_INPUT:
        most = Limits().file_bytes
        read = sys.stdin.buffer.read(most + 1)
        if len(read) > most:
            raise ConfigError(f"standard input has more than {most:,} bytes; hand the text over as a file")
        given = read.decode("utf-8", "replace")
    if not given.strip():
        raise ConfigError('say what is to be done: lda do "REQUEST" [PATH]…')
    if " " not in given.strip() and is_there(given):
        raise ConfigError(f'say first what is to be done with it: lda do "Summarize this" {given}')
    return given.strip()


def capability_named(name: str | None) -> Capability | None:
    """The capability of that name. Raises `ConfigError`."""
    if name is None:
        return None
    if name not in set(Capability):
        raise ConfigError(f"there is no way {name!r}; choose one of: {', '.join(Capability)}")
    return Capability(name)


@dataclass(frozen=True)
class DoJob:
    """What was asked for on the command line."""

    instruction: str
    sources: Sequence[str]
    asked: DoOptions
    explain: bool
    run: RunOptions
    form: OutputFormat

    def start(self) -> ExitCode:
        """Read what it is about, then do it. Raises `LdaError`."""
        request = self._request()

        async def work(workspace: Workspace) -> ExitCode:
            results = Results(_COMMAND, self.form, self.run.out, sources=[request.instruction[:60]])
            output = await self._output(workspace, request)
            if output is None:
                return ExitCode.FAILED
            results.add(0, output)
            results.close()
            return results.code

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    def _request(self) -> DoRequest:
        """The request, with documents that are read before an engine is looked for."""
        if self.asked.session is not None and not self.asked.session.strip():
            raise ConfigError("the name of the session is empty; say which one is meant")
        capability = capability_named(self.asked.way)
        name = self.asked.collection
        if name is not None and not self.sources:
            asyncio.run(with_records(self.run.database, lambda records: shelf_of_collection(records, name)))
        documents = read_sources(self.sources, reader=self.asked.reader)
        return DoRequest(
            self.instruction,
            tuple({one.id: one for one in documents}.values()),
            collection=name,
            session=self.asked.session,
            user=self.asked.user,
            capability=capability,
            words=self.asked.words,
        )

    async def _output(self, workspace: Workspace, request: DoRequest) -> Output | None:
        if self.run.dry_run:
            plan = await plan_without_calls(workspace, request, fresh=self.run.fresh)
            estimates = [] if plan is None else await estimate_work(workspace, plan)
            return PlanOutput(request, plan, estimates, workspace.engine.info)
        with StepView(request.instruction, quiet=self.run.quiet) as view:
            for document in request.documents:
                for warning in document.warnings:
                    view.warn(f"{document.title}: {warning}")
            plan = await plan_work(workspace, request, fresh=self.run.fresh, emit=view.emit)
        if not await self._agreed(plan):
            typer.echo("nothing was done", err=True)
            return None
        with StepView(request.instruction, quiet=self.run.quiet) as view:
            result = await carry_out(workspace, plan, fresh=self.run.fresh, emit=view.emit)
            view.finish(result.run_id, result.usage)
        for told in dict.fromkeys(step.personal for step in result.steps if step.personal):
            self._say(told)
        return DoOutput(result, explain=self.explain)

    async def _agreed(self, plan: WorkPlan) -> bool:
        """Show a plan of several steps; at a terminal, whether it is to be carried out, which only --yes answers."""
        if len(plan.steps) == 1:
            return True
        lines = "\n".join(plan_lines(plan))
        if self.asked.yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            self._say(lines)
            return True
        stderr_console().print(lines, markup=False, highlight=False)
        typer.echo("Go on? [Y/n] ", nl=False, err=True)
        answer = await read_line("")
        return answer is not None and answer.casefold() not in _NO

    def _say(self, text: str) -> None:
        if not self.run.quiet:
            stderr_console().print(text, markup=False, highlight=False)
