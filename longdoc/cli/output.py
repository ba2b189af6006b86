"""Results of commands: printed or written in one piece, as text or as the JSON envelope every command shares."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import typer

from longdoc.app.runs import RunUsage
from longdoc.cli.exits import ExitCode
from longdoc.documents.document import Document
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue

ENVELOPE_VERSION = 1


class OutputFormat(StrEnum):
    """How a result is written."""

    MARKDOWN = "md"
    TEXT = "txt"
    JSON = "json"
    HTML = "html"


class Output(Protocol):
    """A result that can be shown: `source` names what it is of, `gaps` whether something is missing from it."""

    @property
    def source(self) -> str:
        """What it is of."""
        ...

    @property
    def gaps(self) -> bool:
        """Whether something is missing from it."""
        ...

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        ...

    def json(self) -> JsonValue:
        """As a value for programs."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that gave no result."""

    source: str
    message: str
    code: ExitCode


class Results:
    """Takes results, in whatever order they come, and puts them where they belong as soon as that can be done.

    `sources` are what results are of, in the order in which they are printed. Files of a folder come at once, printed
    text as soon as all before it is there, one JSON object, or one file, at `close`. Raises `ConfigError` at once
    where `out` cannot be written.
    """

    def __init__(self, command: str, form: OutputFormat, out: Path | None, *, sources: Sequence[str]) -> None:
        self._command = command
        self._form = form
        self._out = out
        self._folder = out is not None and (len(sources) > 1 or out.is_dir())
        self._names = _file_names(sources, form)
        self._texts: list[str | None] = [None] * len(sources)
        self._values: list[JsonValue] = [None] * len(sources)
        self._failures: dict[int, Failure] = {}
        self._open = set(range(len(sources)))
        self._gaps = False
        self._printed = 0
        self._echoed = False
        if form is OutputFormat.HTML and out is None:
            raise ConfigError("a report is written to a file: --out report.html")
        if out is not None:
            check_writable(out if self._folder else out.parent)

    @property
    def code(self) -> ExitCode:
        """What the command exits with: a failure counts more than a gap."""
        if self._failures:
            return self._failures[min(self._failures)].code
        return ExitCode.GAPS if self._gaps else ExitCode.DONE

    def add(self, number: int, result: Output) -> None:
        """Take the result of the source with this number."""
        self._open.discard(number)
        self._gaps = self._gaps or result.gaps
        if self._form is OutputFormat.JSON:
            self._values[number] = result.json()
        else:
            self._texts[number] = result.text(self._form)
        if self._out is not None and self._folder:
            status = "gaps" if result.gaps else "done"
            write_file(self._rendered([number], status), self._out / self._names[number])
            self._texts[number] = self._values[number] = None
        self._print()

    def fail(self, number: int, failure: Failure) -> None:
        """Take note of a source that failed, or at which the work stopped."""
        self._open.discard(number)
        self._failures[number] = failure
        self._print()

    def close(self) -> None:
        """Put out what could not be put out before."""
        there = [i for i in range(len(self._texts)) if self._texts[i] is not None or self._values[i] is not None]
        if self._out is None and self._form is OutputFormat.JSON:
            typer.echo(self._rendered(there, self._status(), self._failures))
        elif self._out is None:
            for number in there:
                self._echo(number)
        elif not self._folder and there:
            write_file(self._rendered(there, self._status(), self._failures), self._out)

    def _print(self) -> None:
        """Print what comes next, as far as it is there."""
        if self._out is not None or self._form is OutputFormat.JSON:
            return
        while self._printed < len(self._texts) and (
            self._printed in self._failures or self._texts[self._printed] is not None
        ):
            self._echo(self._printed)
            self._printed += 1

    def _echo(self, number: int) -> None:
        text, self._texts[number] = self._texts[number], None
        if text is not None:
            typer.echo(f"\n{text}" if self._echoed else text)
            self._echoed = True

    def _status(self) -> str:
        """In a word how it went; sources that neither came out nor failed were not come to."""
        codes = {failure.code for failure in self._failures.values()}
        if ExitCode.RESUMABLE in codes or (self._open and not codes):
            return "stopped"
        return {ExitCode.DONE: "done", ExitCode.GAPS: "gaps"}.get(self.code, "failed")

    def _rendered(
        self, numbers: Sequence[int], status: str, failures: Mapping[int, Failure] = MappingProxyType({})
    ) -> str:
        if self._form is not OutputFormat.JSON:
            return "\n\n".join(self._texts[number] or "" for number in numbers)
        failed = [failure for _, failure in sorted(failures.items())]
        told: list[JsonValue] = [{"source": failure.source, "error": failure.message} for failure in failed]
        values = [self._values[number] for number in numbers]
        return envelope(self._command, status, results=values, failures=told)


def _file_names(sources: Sequence[str], form: OutputFormat) -> list[str]:
    """A name for the file of each source, the same for the same sources, no name twice."""
    names: dict[str, None] = {}
    for source in sources:
        stem = Path(source).stem or "result"
        number, name = 1, f"{stem}.{form}"
        while name in names:
            number += 1
            name = f"{stem}-{number}.{form}"
        names[name] = None
    return list(names)


def chosen_format(name: str | None, out: Path | None, *, json: bool) -> OutputFormat:
    """The format asked for, or that of the file's extension, or Markdown. Raises `ConfigError`."""
    if json:
        return OutputFormat.JSON
    suffix = out.suffix.removeprefix(".") if out is not None else ""
    wanted = name or (suffix if suffix in set(OutputFormat) else OutputFormat.MARKDOWN)
    if wanted not in set(OutputFormat):
        raise ConfigError(f"there is no format {wanted!r}; choose one of: {', '.join(OutputFormat)}")
    return OutputFormat(wanted)


def write_file(text: str, path: Path) -> None:
    """Write a text to a file, see `write_bytes`."""
    write_bytes(f"{text}\n".encode(), path)


def write_bytes(data: bytes, path: Path) -> None:
    """Write a file in one piece (temporary file, fsync, rename). Raises `ConfigError`."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o644)
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --out") from error


def check_writable(folder: Path) -> None:
    """Find out before anything is spent whether results can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"nothing can be written in {folder}: {error.strerror}; choose another --out") from error


def envelope(command: str, status: str, **content: JsonValue) -> str:
    """The JSON object that every command prints with --json."""
    body: dict[str, JsonValue] = {"longdoc": ENVELOPE_VERSION, "command": command, "status": status, **content}
    return json.dumps(body, ensure_ascii=False, indent=2)


def document_json(document: Document) -> JsonValue:
    """A document, for the envelope."""
    return {
        "id": document.id,
        "title": document.title,
        "source": document.source,
        "format": document.format,
        "characters": len(document.text),
        "sections": sum(1 for _ in document.walk_sections()),
        "warnings": list(document.warnings),
    }


def usage_json(usage: RunUsage) -> JsonValue:
    """What a run took, for the envelope."""
    return {
        "calls": usage.calls,
        "recorded": usage.recorded,
        "retries": usage.retries,
        "prompt_tokens": usage.tokens.prompt_tokens,
        "completion_tokens": usage.tokens.completion_tokens,
        "cached_tokens": usage.tokens.cached_tokens,
        "cost": usage.cost,
        "seconds": round(usage.seconds, 3),
    }
