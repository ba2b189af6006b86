"""Commands of `lda write` that look: drafts, plans, texts, what was done, and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.write_options import DraftPlace, Name

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.cli.write_output import DraftState
    from longdoc.json_value import JsonValue
    from longdoc.storage.draft_types import Draft, DraftRevision


@options.with_fields("place", DraftPlace)
def list_drafts(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those of evaluations too.")] = False,
    place: DraftPlace,
) -> None:
    """List all drafts, the newest first.

    Example: lda write list
    """
    from longdoc.app.draft_export import title_of
    from longdoc.app.writing_evaluation import DRAFT_PREFIX
    from longdoc.cli.output import envelope
    from longdoc.cli.render import table
    from longdoc.cli.write_output import DraftState

    async def work(records: Records) -> list[DraftState]:
        drafts = [one for one in await records.drafts.list() if every or not one.name.startswith(DRAFT_PREFIX)]
        return [DraftState(one, await records.drafts.texts(one)) for one in drafts]

    found = place.with_records(work)
    if place.json:
        values: list[JsonValue] = [
            {
                "name": one.draft.name,
                "title": title_of(one.draft),
                "words": one.words,
                "target": one.draft.plan.words,
                "open": one.open,
            }
            for one in found
        ]
        typer.echo(envelope("write list", "done", results=values))
        return
    rows = [
        [one.draft.name, f"{one.words:,}", f"{one.draft.plan.words:,}", str(one.open or ""), title_of(one.draft)]
        for one in found
    ]
    table(["name", "words", "of", "open", "title"], rows)


@options.with_fields("place", DraftPlace)
def show_plan(
    name: Name,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="As 'lda write edit' takes it.")] = False,
    place: DraftPlace,
) -> None:
    """Show the plan of a draft: every section with its words and where it stands.

    Example: lda write plan salt-3fa2
    """
    from longdoc.agents.draft_markdown import plan_markdown
    from longdoc.cli.output import envelope
    from longdoc.cli.render import table
    from longdoc.cli.write_output import STATE_COLUMNS

    state = place.with_draft(name, _state)
    if place.json:
        typer.echo(envelope("write plan", "done", results=[state.json()]))
    elif markdown:
        typer.echo(plan_markdown(state.draft.plan))
    else:
        table(STATE_COLUMNS, state.rows())
        typer.echo(f"{state.words:,} of {state.draft.plan.words:,} words, {state.open} sections open", err=True)


@options.with_fields("place", DraftPlace)
def show_draft(
    name: Name,
    number: Annotated[
        int | None, typer.Argument(min=1, help="Number of a section.", metavar="[N]", show_default="all of the text")
    ] = None,
    *,
    versions: Annotated[bool, typer.Option("--versions", help="Every text that the section ever had.")] = False,
    place: DraftPlace,
) -> None:
    """Show what is written, or one section of it.

    Example: lda write show salt-3fa2 4 --versions
    """
    from longdoc.app.draft_editing import section_at
    from longdoc.app.draft_export import ExportFormat, export_draft
    from longdoc.cli.output import envelope
    from longdoc.errors import ConfigError

    async def work(records: Records, draft: Draft) -> str:
        if place.json:
            return envelope("write show", "done", results=[(await _state(records, draft)).json()])
        if number is None:
            return (await export_draft(records, draft, ExportFormat.MARKDOWN)).decode()
        section = section_at(draft.plan, number)
        if versions:
            found = await records.drafts.versions(draft, section.id)
            return "\n\n".join(f"--- version {one.version}, {one.words:,} words ---\n\n{one.text}" for one in found)
        text = (await records.drafts.texts(draft)).get(section.id)
        if text is None:
            raise ConfigError(f"section {number} is not written yet; go on with: lda write continue {name}")
        return text.text

    if versions and number is None:
        raise ConfigError("name the section whose versions you want: lda write show NAME N --versions")
    typer.echo(place.with_draft(name, work).rstrip("\n"))


@options.with_fields("place", DraftPlace)
def show_history(name: Name, *, place: DraftPlace) -> None:
    """Show what was done to a draft; the state it is in is marked.

    Example: lda write history salt-3fa2
    """
    from longdoc.cli.output import envelope
    from longdoc.cli.render import table

    async def work(records: Records, draft: Draft) -> tuple[Draft, tuple[DraftRevision, ...]]:
        return draft, await records.drafts.revisions(draft)

    draft, found = place.with_draft(name, work)
    if place.json:
        values: list[JsonValue] = [
            {"number": one.number, "parent": one.parent, "what": one.what, "at": one.created_at.isoformat()}
            for one in found
        ]
        typer.echo(envelope("write history", "done", results=[{"now": draft.revision, "revisions": values}]))
        return
    rows = [
        [
            "*" if one.number == draft.revision else "",
            str(one.number),
            str(one.parent or ""),
            one.what,
            f"{one.created_at:%Y-%m-%d %H:%M}",
        ]
        for one in found
    ]
    table(["now", "n", "from", "what", "when (UTC)"], rows)


@options.with_fields("place", DraftPlace)
def export(
    name: Name,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    form: Annotated[
        str | None,
        typer.Option("--format", help="md, html, docx, epub or pdf.", show_default="what the file's name says"),
    ] = None,
    place: DraftPlace,
) -> None:
    """Write a draft to a file, with contents, citations as notes and a bibliography.

    Example: lda write export salt-3fa2 --out salt.epub
    """
    from longdoc.app.draft_export import export_draft, export_format
    from longdoc.cli.output import envelope, write_bytes
    from longdoc.cli.write_output import check_folder

    wanted = export_format(form, out)
    check_folder(out)

    async def work(records: Records, draft: Draft) -> bytes:
        return await export_draft(records, draft, wanted)

    data = place.with_draft(name, work)
    write_bytes(data, out)
    if place.json:
        typer.echo(envelope("write export", "done", results=[{"file": str(out), "bytes": len(data)}]))
    else:
        typer.echo(f"{out}: {len(data):,} bytes", err=True)


async def _state(records: Records, draft: Draft) -> DraftState:
    from longdoc.cli.write_output import DraftState

    return DraftState(draft, await records.drafts.texts(draft))
