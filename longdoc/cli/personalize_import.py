"""`lda personalize import`: items of users from files, folders of documents, and sessions of `lda chat`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Library, Records
    from longdoc.app.profile_import import ImportReport
    from longdoc.app.profile_import_entries import Owner
    from longdoc.app.profile_import_sources import ImportFormat, ImportSource
    from longdoc.cli.exits import ExitCode
    from longdoc.config import Settings

HELP = """
Take in what users wrote, rated or named: the items that answers are made for them from.

Examples:

  lda personalize import mails.jsonl

  lda personalize import reviews.csv --task rating

  lda personalize import LaMP_4/train_questions.json --task lamp-4

  lda personalize import my-essays/ --user ann

  lda personalize import main --format chat --user me

Lines of JSONL and columns of CSV: user, task, key, text, output, at, source.
A line without a key has a checksum of what it says for one.

In a folder, each document is an item of --user, for the task rewrite. Of a
session of 'lda chat', each message of the user is one, for the task answer.

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
Nothing is stored twice.
"""


def import_profiles(
    path: Annotated[
        str,
        typer.Argument(help="File or folder; - reads standard input. With --format chat: a session.", metavar="PATH"),
    ],
    *,
    task: Annotated[
        str | None, typer.Option("--task", help="For which task, where the file does not say.", metavar="NAME")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="Whose, where the file does not say.", metavar="NAME")
    ] = None,
    form: Annotated[
        str,
        typer.Option("--format", help="auto, lamp, jsonl, csv, folder or chat."),
    ] = "auto",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be used, and count it.")] = False,
    agent: Annotated[
        str, typer.Option("--agent", help="With --format chat: with which agent the user talked.")
    ] = "default",
    tenant: Annotated[str, typer.Option("--tenant", help="Of which tenant the users are.")] = "local",
    json: options.Json = False,
    quiet: options.Quiet = False,
    database: options.Database = None,
) -> None:
    """Parse the command line and import; `HELP` is what people read."""
    from longdoc.agents.profile_tasks import find_task, load_tasks
    from longdoc.app.profile_import_entries import Owner
    from longdoc.cli.session import run_library_session
    from longdoc.config import load_settings

    settings = load_settings({"database": database})
    if task is not None:
        find_task(load_tasks(settings.profile_tasks), task)
    job = _ImportJob(
        settings, path, _format(form), Owner(user, task), agent, tenant, skip_bad=skip_bad, json=json, quiet=quiet
    )
    job.check()
    raise typer.Exit(run_library_session(settings, job.run, quiet=quiet))


def _format(name: str) -> ImportFormat:
    from longdoc.app.profile_import_sources import ImportFormat
    from longdoc.errors import ConfigError

    if name not in set(ImportFormat):
        raise ConfigError(f"there is no format {name!r}; choose one of: {', '.join(ImportFormat)}")
    return ImportFormat(name)


@dataclass(frozen=True, slots=True)
class _ImportJob:
    """An import as it was asked for."""

    settings: Settings
    path: str
    form: ImportFormat
    owner: Owner
    agent: str
    tenant: str
    skip_bad: bool
    json: bool
    quiet: bool

    def check(self) -> None:
        """Raise `ConfigError` for a path that is not there, before a record is made."""
        from longdoc.app.profile_import_sources import ImportFormat
        from longdoc.cli.sources import STANDARD_INPUT, is_there
        from longdoc.errors import ConfigError

        if self.form is not ImportFormat.CHAT and self.path != STANDARD_INPUT and not is_there(self.path):
            raise ConfigError(f"there is no file or folder {self.path!r}; check the path")

    async def run(self, library: Library) -> ExitCode:
        """Import and tell what came of it. Raises `LdaError`."""
        from longdoc.agents.profile_tasks import load_tasks
        from longdoc.app.profile_import import import_items
        from longdoc.cli.personalize_output import imported_json, imported_lines
        from longdoc.cli.personalize_view import ProfileView

        tasks = load_tasks(self.settings.profile_tasks)
        with self._source(library.records) as source, ProfileView(self.path, quiet=self.quiet) as view:
            tenant = await library.records.profiles.tenant(self.tenant)
            report = await import_items(
                library.records, tenant, source, tasks, skip_bad=self.skip_bad, progress=partial(view.imported, source)
            )
        for problem in report.problems:
            typer.echo(f"lda: left out: {problem}", err=True)
        if self.json:
            typer.echo(imported_json(self.path, self.tenant, report))
        else:
            for line in imported_lines(report):
                typer.echo(line, err=True)
        return self._code(report)

    def _code(self, report: ImportReport) -> ExitCode:
        from longdoc.cli.exits import ExitCode

        return ExitCode.GAPS if report.bad else ExitCode.DONE

    @contextmanager
    def _source(self, records: Records) -> Generator[ImportSource, None, None]:
        """What the path names. Raises `ConfigError`."""
        from pathlib import Path

        from longdoc.app.profile_import_sources import ChatSource, FolderSource, ImportFormat, open_file
        from longdoc.cli.sources import STANDARD_INPUT, expand_sources
        from longdoc.errors import ConfigError
        from longdoc.storage.memory_types import NamespaceName

        if self.form is ImportFormat.CHAT:
            yield ChatSource(records, NamespaceName(self.owner.user or "me", self.agent, self.path), self.owner)
        elif self.path != STANDARD_INPUT and Path(self.path).is_dir():
            if self.form not in {ImportFormat.AUTO, ImportFormat.FOLDER}:
                raise ConfigError(f"{self.path} is a folder; --format {self.form} reads a file")
            yield FolderSource(Path(self.path), [Path(file) for file in expand_sources([self.path])], self.owner)
        else:
            with open_file(self.path, self.form, self.owner) as source:
                yield source
