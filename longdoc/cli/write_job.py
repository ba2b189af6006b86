"""The jobs behind `lda write`: a draft planned, written and put out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import typer

from longdoc.agents.draft_changes import open_sections
from longdoc.agents.draft_markdown import plan_markdown
from longdoc.app.bootstrap import Workspace
from longdoc.app.draft_estimate import DraftEstimate
from longdoc.app.draft_export import ExportFormat, check_export, export_draft, export_format
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.cli.draft_view import DraftView, write_piece
from longdoc.cli.estimates import estimate_json, estimate_text
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import envelope, write_bytes
from longdoc.cli.render import stderr_console
from longdoc.cli.session import run_session
from longdoc.cli.write_output import check_folder, result_json
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError, InvalidOutputError
from longdoc.storage.draft_types import Draft

_COMMAND = "write"
_TEXTS = {ExportFormat.MARKDOWN, ExportFormat.HTML}


@dataclass(frozen=True)
class WriteJob:
    """Work on a draft, which `draft` finds or makes; `estimate` tells what that takes, where it is known.

    `plan_only` stops after the plan; `stream` shows text as it comes, on standard error, before it is cleaned and
    brought to its length.
    """

    draft: Callable[[Workspace], Awaitable[Draft]]
    run: RunOptions
    plan_only: bool = False
    stream: bool = False
    estimate: Callable[[EngineInfo], DraftEstimate] | None = None

    def start(self) -> ExitCode:
        """Do it. Raises `LdaError`; what is done until then is kept."""
        form = self._checked()

        async def work(workspace: Workspace) -> ExitCode:
            if self.run.dry_run and self.estimate is not None:
                self._tell(self.estimate(workspace.engine.info), workspace.engine.info)
                return ExitCode.DONE
            draft = await self.draft(workspace)
            if self.run.fresh and draft.plan.sections and not await _open(workspace, draft):
                raise ConfigError(f"{draft.name!r} is written; take lda write rewrite, or another --seed, not --fresh")
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

    def _checked(self) -> ExportFormat | None:
        """The format to put out, None for JSON; what cannot work is told before anything is spent."""
        out, json = self.run.out, self.run.json
        if json and out is not None and out.suffix.lower().lstrip(".") in set(ExportFormat):
            raise ConfigError(f"--json writes JSON, not {out.suffix}; name another file, or leave --json out")
        form = None if json else export_format(self.run.form, None if self.plan_only else out)
        check_folder(out)
        if self.run.dry_run and self.estimate is None:
            raise ConfigError("what is left of a draft is shown by lda write plan; --dry-run is for new ones")
        if form is not None:
            check_export(form)
            if form not in _TEXTS and out is None:
                raise ConfigError(f"{form} is written to a file: --out draft.{form}")
        return form

    def _tell(self, estimate: DraftEstimate, engine: EngineInfo) -> None:
        """Say what a draft would take."""
        if self.run.json:
            told = {"words": estimate.words, "sections": estimate.sections, **estimate_json(estimate, engine)}
            typer.echo(envelope(_COMMAND, "estimated", results=[{"estimate": told}]))
        elif estimate.words is None:
            typer.echo("the instruction names no length, so the model is asked for one first; --words sets it")
        else:
            size = f"{estimate.words:,} words in about {estimate.sections} sections"
            takes = estimate_text(estimate, engine)
            typer.echo(f"{size}: {takes}, when every section comes to its length at the first attempt")

    async def _put_out(self, workspace: Workspace, result: DraftResult, form: ExportFormat | None) -> None:
        if form is None:
            status = "gaps" if result.failed else "planned" if self.plan_only else "done"
            self._write(f"{envelope(_COMMAND, status, results=[result_json(result)])}\n".encode())
        elif self.plan_only:
            self._write(plan_markdown(result.draft.plan).encode())
            name = result.draft.name
            if not self.run.quiet:
                advice = f"edit it: lda write edit {name}   write it: lda write continue {name}"
                stderr_console().print(advice, markup=False)
        elif not result.texts:
            raise InvalidOutputError(f"nothing could be written: {'; '.join(result.failures.values())}")
        else:
            self._write(await export_draft(workspace.records, result.draft, form))

    def _write(self, data: bytes) -> None:
        if self.run.out is not None:
            write_bytes(data, self.run.out)
        else:
            typer.echo(data.decode(), nl=False)


async def _open(workspace: Workspace, draft: Draft) -> list[int]:
    return open_sections(draft.plan, await workspace.records.drafts.texts(draft))
