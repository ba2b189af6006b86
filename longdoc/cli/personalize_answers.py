"""Commands of `lda personalize` that ask a model: summaries made offline, and answers for a user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.personalize_options import ProfileCalls, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longdoc.agents.profile_tasks import ProfileTask
    from longdoc.app.bootstrap import Workspace
    from longdoc.app.personalize import PersonalRequest
    from longdoc.app.profile_refresh import RefreshOptions
    from longdoc.cli.exits import ExitCode
    from longdoc.memory.profile_ranking import Ranked

REFRESH_HELP = """
Make the summaries of users that are missing or out of date.

One is out of date with a fifth more items, after an edit of an item that it was
made from, and with another model or prompt. Labels and numbers are counted
without a model. Users with fewer than three items need no summary.

Examples:

  lda personalize refresh

  lda personalize refresh --user ann --task title --force

  lda personalize refresh --older-than 90 --max-calls 1000

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""

ASK_HELP = """
Do a task for a user, with what is known of them before it.

Which parts of that were used stands on standard error, and in --json.

Examples:

  lda personalize ask ann "The text that needs a title." --task title

  lda personalize ask ann - --task rewrite < draft.txt

  lda personalize ask ann "Which film tonight?" --task answer --k 8 --no-summary --by newest

  lda personalize ask ann - --task title --without mail-17 --before 2026-01-31 < mail-17.txt
"""


@options.with_fields("calls", ProfileCalls)
def refresh_summaries(
    *,
    user: Annotated[str | None, typer.Option("--user", help="Of one user.", show_default="all", metavar="NAME")] = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", help="For a task; can be given again.", show_default="all", metavar="NAME"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Make them anew, those that are current too.")] = False,
    older_than: Annotated[
        int | None, typer.Option("--older-than", min=0, help="Those made so many days ago, too.", metavar="DAYS")
    ] = None,
    calls: ProfileCalls,
) -> None:
    """Parse the command line and refresh; `REFRESH_HELP` is what people read."""
    from longdoc.agents.profile_tasks import find_task, load_tasks
    from longdoc.app.profile_refresh import RefreshOptions
    from longdoc.cli.session import run_session
    from longdoc.errors import ConfigError

    run = calls.run()
    settings = run.settings()
    tasks = load_tasks(settings.profile_tasks)
    for name in task or ():
        find_task(tasks, name)
    try:
        oldest = None if older_than is None else timedelta(days=older_than)
    except OverflowError as error:
        raise ConfigError(f"{older_than} days are longer than any time; name fewer") from error
    job = _Refresh(RefreshOptions(user, tuple(task or ()), force, oldest), tasks, calls)
    raise typer.Exit(run_session(settings, run.budget(), job.run, quiet=calls.quiet))


@options.with_fields("calls", ProfileCalls)
def ask_for_user(
    user: User,
    text: Annotated[str, typer.Argument(help="What it is to be done with; - reads standard input.", metavar="INPUT")],
    *,
    task: Annotated[str, typer.Option("--task", help="What is to be done.", metavar="NAME")],
    k: Annotated[
        int | None, typer.Option("--k", "-k", help="So many items, at most.", show_default="4, or 1 beside a summary")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary/--no-summary", help="With the summary of the user.")] = True,
    by: Annotated[str, typer.Option("--by", help="How items are chosen: bm25, dense, fused, newest, random.")] = "bm25",
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            help="Tokens for what is known of the user.",
            show_default="2,000, or a quarter of the window",
        ),
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", help="Of items made before a day or a moment alone.", metavar="DATE")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Not of the items of this key; can be given again.", metavar="KEY"),
    ] = None,
    calls: ProfileCalls,
) -> None:
    """Parse the command line and answer; `ASK_HELP` is what people read."""
    from longdoc.agents.profile_tasks import find_task, load_tasks
    from longdoc.app.personalize import PersonalRequest
    from longdoc.cli.memory_lines import STANDARD, read_text
    from longdoc.cli.memory_options import moment_of
    from longdoc.cli.session import run_session

    run = calls.run()
    settings = run.settings()
    asked = find_task(load_tasks(settings.profile_tasks), task)
    ranked = _ranked(by)
    given = read_text(STANDARD) if text == STANDARD else text
    request = PersonalRequest(
        asked,
        given,
        take=k,
        summary=summary,
        ranked=ranked,
        budget=budget,
        before=moment_of("--before", before),
        without=tuple(without or ()),
    )
    job = _Asked(user, request, calls)
    raise typer.Exit(run_session(settings, run.budget(), job.run, quiet=calls.quiet))


def _ranked(name: str) -> Ranked:
    from longdoc.errors import ConfigError
    from longdoc.memory.profile_ranking import Ranked

    if name not in set(Ranked):
        raise ConfigError(f"items are not chosen by {name!r}; choose one of: {', '.join(Ranked)}")
    return Ranked(name)


@dataclass(frozen=True, slots=True)
class _Refresh:
    """A refresh as it was asked for."""

    options: RefreshOptions
    tasks: Mapping[str, ProfileTask]
    calls: ProfileCalls

    async def run(self, workspace: Workspace) -> ExitCode:
        """Make summaries, and tell what was made. Raises `NotFoundError` for a user that is not there."""
        from longdoc.app.profile_refresh import refresh
        from longdoc.cli.exits import ExitCode
        from longdoc.cli.personalize_options import find_tenant
        from longdoc.cli.personalize_output import refreshed_json, refreshed_line
        from longdoc.cli.personalize_view import ProfileView

        tenant = await find_tenant(workspace.records, self.calls.tenant)
        if self.options.user is not None:
            await workspace.records.profiles.get(tenant.id, self.options.user)
        with ProfileView("summaries", quiet=self.calls.quiet) as view:
            report = await refresh(workspace, tenant, self.tasks, self.options, emit=view.emit)
        if self.calls.quiet:
            for whose, reason in report.failed.items():
                typer.echo(f"lda: no summary of {whose}: {reason}", err=True)
        if self.calls.json:
            typer.echo(refreshed_json(report))
        else:
            typer.echo(refreshed_line(report), err=True)
        return ExitCode.GAPS if report.failed else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for a user."""

    user: str
    request: PersonalRequest
    calls: ProfileCalls

    async def run(self, workspace: Workspace) -> ExitCode:
        """Answer, and tell what of the user was used. Raises `LdaError`."""
        from longdoc.app.personalize import personalize
        from longdoc.cli.exits import ExitCode
        from longdoc.cli.personalize_options import find_tenant
        from longdoc.cli.personalize_output import answered_json, used_lines
        from longdoc.cli.run_view import RunView

        tenant = await find_tenant(workspace.records, self.calls.tenant)
        with RunView(self.request.task.name, quiet=self.calls.quiet) as view:
            found = await personalize(workspace, tenant, self.user, self.request, emit=view.emit)
        if self.calls.json:
            typer.echo(answered_json(self.user, self.request, found))
        elif found.answer.output is not None:
            typer.echo(found.answer.output)
        if not self.calls.json and not self.calls.quiet:
            for line in used_lines(found):
                typer.echo(line, err=True)
        if found.answer.output is None:
            said = " ".join(found.answer.text.split()) or "it is empty"
            typer.echo(f"lda: the answer is none that {self.request.task.name} has: {said}", err=True)
        return ExitCode.DONE if found.answer.output is not None else ExitCode.GAPS
