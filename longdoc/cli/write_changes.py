"""Commands of `lda write` that change a draft without a model; each can be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.write_options import DraftPlace, Name, Number, Numbers

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.app.draft_editing import DraftEditor
    from longdoc.storage.draft_types import Draft


@options.with_fields("place", DraftPlace)
def edit(
    name: Name,
    number: Annotated[
        int | None, typer.Argument(min=1, help="Number of a section.", metavar="[N]", show_default="the plan")
    ] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", help="Take it from a file (- for standard input), without an editor.")
    ] = None,
    place: DraftPlace,
) -> None:
    """Edit the plan of a draft, or the text of a section, in your editor ($VISUAL, $EDITOR).

    Sections whose line you change are written again by 'lda write continue'; a text you edit is kept as it is.

    Example: lda write plan salt-3fa2 --markdown > plan.md, then lda write edit salt-3fa2 --file plan.md
    """
    from longdoc.app.draft_editing import DraftEditor

    shown, before = place.with_draft(name, lambda records, draft: _shown(records, draft, number))

    def change(text: str) -> None:
        async def work(records: Records) -> Draft:
            editor = DraftEditor(records)
            if number is None:
                return await editor.set_plan(shown, text)
            return await editor.set_text(shown, number, text)

        _tell(place, place.with_records(work))

    if file is not None:
        change(read_text_file(file))
    else:
        _edited(before, change)


async def _shown(records: Records, draft: Draft, number: int | None) -> tuple[Draft, str]:
    """A draft, and what of it is edited: its plan, or the text of a section."""
    from longdoc.agents.draft_markdown import plan_markdown
    from longdoc.app.draft_editing import section_at

    if number is None:
        return draft, plan_markdown(draft.plan)
    texts = await records.drafts.texts(draft)
    section = section_at(draft.plan, number)
    return draft, texts[section.id].text if section.id in texts else ""


@options.with_fields("place", DraftPlace)
def insert(
    name: Name,
    number: Number,
    heading: Annotated[str, typer.Argument(help="Heading of the new section.", metavar="HEADING")],
    *,
    words: Annotated[int, typer.Option("--words", min=1, help="Its length.")] = 400,
    point: Annotated[str, typer.Option("--point", help="Its main point.", show_default="the heading")] = "",
    place: DraftPlace,
) -> None:
    """Put a new section before the one with a number.

    Example: lda write insert salt-3fa2 3 "The salt tax" --words 600 --point "How the gabelle fed a revolution"
    """
    _change(place, name, lambda editor, draft: editor.insert(draft, number, heading=heading, point=point, words=words))


@options.with_fields("place", DraftPlace)
def move(
    name: Name,
    number: Number,
    to: Annotated[int, typer.Argument(min=1, help="Its new number.", metavar="TO")],
    *,
    place: DraftPlace,
) -> None:
    """Put a section elsewhere.

    Example: lda write move salt-3fa2 5 2
    """
    _change(place, name, lambda editor, draft: editor.move(draft, number, to))


@options.with_fields("place", DraftPlace)
def drop(name: Name, numbers: Numbers, *, place: DraftPlace) -> None:
    """Take sections out of a draft.

    Example: lda write drop salt-3fa2 5 6
    """
    _change(place, name, lambda editor, draft: editor.drop(draft, numbers))


@options.with_fields("place", DraftPlace)
def lock(
    name: Name,
    numbers: Numbers,
    *,
    off: Annotated[bool, typer.Option("--off", help="Let them be written again.")] = False,
    place: DraftPlace,
) -> None:
    """Keep sections from being written again, whatever is changed around them.

    Example: lda write lock salt-3fa2 1 2
    """
    _change(place, name, lambda editor, draft: editor.lock(draft, numbers, lock=not off))


@options.with_fields("place", DraftPlace)
def undo(name: Name, *, place: DraftPlace) -> None:
    """Take back the last thing that was done to a draft: an edit, a rewrite, a move, …

    Example: lda write undo salt-3fa2
    """

    async def work(records: Records, draft: Draft) -> tuple[Draft, str]:
        return await records.drafts.undo(draft)

    draft, what = place.with_draft(name, work)
    if not place.json:
        typer.echo(f"undone: {what}", err=True)
    _tell(place, draft)


@options.with_fields("place", DraftPlace)
def delete(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    place: DraftPlace,
) -> None:
    """Delete a draft with every version of it. This cannot be taken back.

    Example: lda write delete salt-3fa2 --yes
    """
    from longdoc.app.draft_editing import DraftEditor
    from longdoc.cli.output import envelope

    if not yes:
        typer.confirm(f"Delete the draft {name} with every version of it?", abort=True, err=True)

    async def work(records: Records, draft: Draft) -> None:
        await DraftEditor(records).delete(draft)

    place.with_draft(name, work)
    if place.json:
        typer.echo(envelope("write delete", "done", results=[{"name": name}]))
    else:
        typer.echo(f"{name} is deleted", err=True)


def _change(place: DraftPlace, name: str, change: Callable[[DraftEditor, Draft], Awaitable[Draft]]) -> None:
    from longdoc.app.draft_editing import DraftEditor

    async def work(records: Records, draft: Draft) -> Draft:
        return await change(DraftEditor(records), draft)

    _tell(place, place.with_draft(name, work))


def _tell(place: DraftPlace, draft: Draft) -> None:
    """Say how the draft stands after a change."""
    from longdoc.cli.output import envelope
    from longdoc.cli.write_output import DraftState

    async def work(records: Records, now: Draft) -> DraftState:
        return DraftState(now, await records.drafts.texts(now))

    state = place.with_draft(draft.name, work)
    if place.json:
        typer.echo(envelope("write", "done", results=[state.json()]))
        return
    opened = f", {state.open} to be written: lda write continue {draft.name}" if state.open else ""
    typer.echo(f"{draft.name}: {len(draft.plan.sections)} sections, {draft.plan.words:,} words{opened}", err=True)


def _edited(before: str, change: Callable[[str], None]) -> None:
    """Let a person edit a text until it can be taken; the same text changes nothing.

    What cannot be taken is left in a file, which is named. Raises `LdaError`.
    """
    from longdoc.cli.editor import edit_text, keep_text
    from longdoc.errors import ChangedMeanwhileError, ConfigError, LdaError

    text = before
    while True:
        after = edit_text(text)
        if after == before:
            typer.echo("nothing was changed", err=True)
            return
        try:
            change(after)
            return
        except LdaError as error:
            typer.echo(f"lda: {error}\nwhat you wrote is kept in {keep_text(after)}", err=True)
            hopeless = isinstance(error, ChangedMeanwhileError) or not isinstance(error, ConfigError)
            if hopeless or not typer.confirm("Edit it again?", default=True, err=True):
                raise
            text = after


def read_text_file(file: Path) -> str:
    """What a file holds, or standard input. Raises `ConfigError`."""
    import sys

    from longdoc.errors import ConfigError

    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
