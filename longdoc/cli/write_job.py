"""The jobs behind `lda write`: a draft planned, written and put out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import typer

from longdoc.agents.draft_markdown import plan_markdown
from longdoc.app.bootstrap import Workspace
from longdoc.app.draft_export import ExportFormat, export_draft, export_format
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.cli.draft_view import DraftView, write_piece
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import envelope, write_bytes
from longdoc.cli.render import stderr_console
from longdoc.cli.session import run_session
from longdoc.cli.write_output import check_folder, result_json
from longdoc.errors import ConfigError
from longdoc.storage.draft_types import Draft

_COMMAND = "write"
_TEXTS = {ExportFormat.MARKDOWN, ExportFormat.HTML}


@dataclass(frozen=True)
class WriteJob:
    """Work on a draft, which `draft` finds or makes. `plan_only` stops after the plan; `stream` prints text as it
    comes."""

    draft: Callable[[Workspace], Awaitable[Draft]]
    run: RunOptions
    plan_only: bool = False
    stream: bool = False

    def start(self) -> ExitCode:
        """Do it. Raises `LdaError`; what is done until then is kept."""
        form = None if self.run.json else export_format(self.run.form, self.run.out)
        check_folder(self.run.out)
        if self.run.dry_run:
            raise ConfigError("what a draft takes depends on its plan; --review plans only, and shows the plan")
        if form is not None and form not in _TEXTS and self.run.out is None:
            raise ConfigError(f"{form} is written to a file: --out draft.{form}")
        if self.stream and self.run.json:
            raise ConfigError("--stream prints text and --json a value; choose one of them")

        async def work(workspace: Workspace) -> ExitCode:
            draft = await self.draft(workspace)
            with DraftView(quiet=self.run.quiet, streaming=self.stream) as view:
                result = await write_draft(
                    workspace,
                    draft,
                    plan_only=self.plan_only,
                    fresh=self.run.fresh,
                    emit=view.emit,
                    on_text=write_piece if self.stream else None,
                )
                view.finish(draft.name, result.run_id, result.usage)
            await self._put_out(workspace, result, form)
            return ExitCode.GAPS if result.failed else ExitCode.DONE

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    async def _put_out(self, workspace: Workspace, result: DraftResult, form: ExportFormat | None) -> None:
        if self.plan_only or not result.texts:
            self._put_plan_out(result)
            return
        if form is None:
            text = envelope(_COMMAND, "gaps" if result.failed else "done", results=[result_json(result)])
            if self.run.out is None:
                typer.echo(text)
            else:
                write_bytes(f"{text}\n".encode(), self.run.out)
            return
        data = await export_draft(workspace.records, result.draft, form)
        if self.run.out is not None:
            write_bytes(data, self.run.out)
        elif not self.stream:
            typer.echo(data.decode())
        else:
            typer.echo("")

    def _put_plan_out(self, result: DraftResult) -> None:
        name = result.draft.name
        if self.run.json:
            status = "gaps" if result.failed else "planned"
            typer.echo(envelope(_COMMAND, status, results=[result_json(result)]))
            return
        typer.echo(plan_markdown(result.draft.plan))
        if not self.run.quiet:
            stderr_console().print(
                f"edit it: lda write edit {name}   write it: lda write continue {name}", markup=False
            )
