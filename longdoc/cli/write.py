"""`lda write`: long texts by plan and write, as sessions that can be left, changed and gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from longdoc.cli import options, write_changes, write_views
from longdoc.cli.write_options import Name, Numbers

if TYPE_CHECKING:
    from typer._click.core import Context  # typer has click in itself

    from longdoc.app.bootstrap import Workspace
    from longdoc.app.draft_estimate import DraftEstimate
    from longdoc.app.draft_settings import DraftOptions
    from longdoc.documents.document import Document
    from longdoc.engines.engine import EngineInfo
    from longdoc.storage.draft_types import Draft

HELP = """
Write texts of up to 100,000 words: planned first, then section by section, with a length that holds.

Examples:

  lda write "a 10,000 word history of salt"

  lda write "a novel in twelve chapters about a lighthouse" --words 60000 --out novel.epub

  lda write "a 3,000 word report on the whale in this book" --source moby-dick.epub

  lda write "a 2,000 word speech" --like my-last-speech.txt --review

  lda write edit salt-3fa2                 # the plan, in your editor

  lda write continue salt-3fa2 --out salt.docx

  lda write rewrite salt-3fa2 4 --comment "shorter sentences, and more of the Romans"

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""
_DRAFT = "Draft"
_NEW = "new"
_FORMATS = "md, html, docx, epub or pdf"

Stream = Annotated[bool, typer.Option("--stream", help="Show the text as it is written.", rich_help_panel="Output")]


class WriteGroup(TyperGroup):
    """The commands; what is none of them is what `lda write new` is to write."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """See `TyperGroup`; an instruction with words in it needs no `new` before it."""
        first = self._first_argument(args)
        if first is not None and first not in self.commands and " " in first.strip():
            args = [_NEW, *args]
        return super().parse_args(ctx, args)

    def _first_argument(self, args: list[str]) -> str | None:
        """What is neither an option nor the value of one."""
        valued = {
            option
            for parameter in self.commands[_NEW].params
            if not getattr(parameter, "is_flag", False)
            for option in parameter.opts
        }
        waiting = iter(args)
        for one in waiting:
            if not one.startswith("-"):
                return one
            if one in valued:
                next(waiting, None)
        return None


app = typer.Typer(cls=WriteGroup, help=HELP, no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class AskedDraft:
    """What a new draft can be told besides the instruction."""

    words: Annotated[
        int | None,
        typer.Option("--words", help="Length.", show_default="what the instruction says", rich_help_panel=_DRAFT),
    ] = None
    chapters: Annotated[int | None, typer.Option("--chapters", help="Number of chapters.", rich_help_panel=_DRAFT)] = (
        None
    )
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="A file to write from, with citations; may be repeated.", rich_help_panel=_DRAFT),
    ] = None
    reader: options.Reader = None
    like: Annotated[
        Path | None, typer.Option("--like", help="A file written as this shall be.", rich_help_panel=_DRAFT)
    ] = None
    parallel: Annotated[
        bool,
        typer.Option("--parallel", help="Sections at once: faster, but none knows the others.", rich_help_panel=_DRAFT),
    ] = False
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Another number, another text.", rich_help_panel=_DRAFT)
    ] = 0
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="Name of the draft.", show_default="made of the instruction", rich_help_panel=_DRAFT
        ),
    ] = None
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="A plan of your own; see 'lda write plan --markdown'.", rich_help_panel=_DRAFT),
    ] = None

    def options(self) -> DraftOptions:
        """The same for the draft. Raises `ConfigError`, and `DocumentError` for a sample that cannot be read."""
        from longdoc.app.draft_settings import DraftOptions
        from longdoc.cli.reading import read_source

        sample = None if self.like is None else read_source(str(self.like)).text
        return DraftOptions(
            words=self.words, chapters=self.chapters, parallel=self.parallel, like=sample, seed=self.seed
        )

    def documents(self) -> list[Document]:
        """The sources, read. Raises `DocumentError`."""
        from longdoc.cli.reading import read_sources

        return read_sources(self.source or [], reader=self.reader)

    def outline(self) -> str | None:
        """The user's own plan as Markdown, None without one. Raises `ConfigError`."""
        from longdoc.agents.draft_markdown import read_plan
        from longdoc.cli.write_changes import read_text_file
        from longdoc.storage.draft_types import DraftPlan

        if self.plan is None:
            return None
        outline = read_text_file(self.plan)
        read_plan(outline, DraftPlan(), next_id=1)  # what cannot be read leaves no draft behind
        return outline


@app.command(_NEW)
@options.with_run_options(formats=_FORMATS)
@options.with_fields("asked", AskedDraft)
def new(
    instruction: Annotated[str, typer.Argument(help="What to write.", metavar="INSTRUCTION")],
    *,
    review: Annotated[
        bool, typer.Option("--review", help="Stop after the plan, to look at it.", rich_help_panel=_DRAFT)
    ] = False,
    stream: Stream = False,
    asked: AskedDraft,
    run: options.RunOptions,
) -> None:
    """Plan and write a text. The same command again goes on with it.

    Example: lda write new "a 5,000 word guide to beekeeping" --out bees.epub
    """
    from longdoc.app.draft_editing import DraftEditor, draft_name
    from longdoc.app.draft_estimate import estimate_draft
    from longdoc.app.draft_settings import new_draft
    from longdoc.cli.write_job import WriteJob
    from longdoc.errors import ConfigError

    if stream and asked.parallel:
        raise ConfigError("sections that are written at once cannot be shown one after the other; leave out --stream")
    told, documents, outline = asked.options(), asked.documents(), asked.outline()
    name = asked.name or draft_name(instruction, told.settings(documents))

    async def draft(workspace: Workspace) -> Draft:
        made = await new_draft(workspace, name, instruction, told, documents)
        return made if outline is None else await DraftEditor(workspace.records).begin_with(made, outline)

    def estimate(info: EngineInfo) -> DraftEstimate:
        return estimate_draft(info, instruction, told, grounded=bool(documents))

    raise typer.Exit(WriteJob(draft, run, plan_only=review, stream=stream, estimate=estimate).start())


@app.command("continue")
@options.with_run_options(formats=_FORMATS)
def go_on(name: Name, *, stream: Stream = False, run: options.RunOptions) -> None:
    """Write what is open of a draft: sections that are planned, and those whose line was changed.

    Example: lda write continue salt-3fa2 --out salt.epub
    """
    from longdoc.cli.write_job import WriteJob

    async def draft(workspace: Workspace) -> Draft:
        return await workspace.records.drafts.get(name)

    raise typer.Exit(WriteJob(draft, run, stream=stream).start())


@app.command("rewrite")
@options.with_run_options(formats=_FORMATS)
def rewrite(
    name: Name,
    numbers: Numbers,
    *,
    comment: Annotated[str, typer.Option("--comment", help="What shall be otherwise.", rich_help_panel=_DRAFT)] = "",
    stream: Stream = False,
    run: options.RunOptions,
) -> None:
    """Write sections anew. What they said before can be come back to with 'lda write undo'.

    Example: lda write rewrite salt-3fa2 4 --comment "tell it from the miner's side"
    """
    from longdoc.app.draft_editing import DraftEditor
    from longdoc.cli.write_job import WriteJob

    async def draft(workspace: Workspace) -> Draft:
        found = await workspace.records.drafts.get(name)
        return await DraftEditor(workspace.records).open_again(found, numbers, comment)

    raise typer.Exit(WriteJob(draft, run, stream=stream).start())


app.command("list")(write_views.list_drafts)
app.command("plan")(write_views.show_plan)
app.command("show")(write_views.show_draft)
app.command("history")(write_views.show_history)
app.command("export")(write_views.export)
app.command("edit")(write_changes.edit)
app.command("insert")(write_changes.insert)
app.command("move")(write_changes.move)
app.command("drop")(write_changes.drop)
app.command("lock")(write_changes.lock)
app.command("undo")(write_changes.undo)
app.command("delete")(write_changes.delete)
