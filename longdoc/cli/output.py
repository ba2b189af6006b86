"""Results of commands: printed or written in one piece, as text or as the JSON envelope every command shares."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
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
    """Takes results one by one and puts them where they belong as soon as that can be done.

    Printed text and files of a folder come at once; one JSON object, or one file, at `close`. Raises `ConfigError`
    at once where `out` cannot be written.
    """

    def __init__(self, command: str, form: OutputFormat, out: Path | None, *, several: bool) -> None:
        self._command = command
        self._form = form
        self._out = out
        self._folder = out is not None and (several or out.is_dir())
        self._names: set[str] = set()
        self._results: list[Output] = []
        self._failures: list[Failure] = []
        if out is not None:
            _check_writable(out if self._folder else out.parent)

    @property
    def code(self) -> ExitCode:
        """What the command exits with: a failure counts more than a gap."""
        if self._failures:
            return self._failures[0].code
        return ExitCode.GAPS if any(result.gaps for result in self._results) else ExitCode.DONE

    def add(self, result: Output) -> None:
        """Take a result."""
        self._results.append(result)
        if self._out is not None and self._folder:
            write_file(self._rendered([result]), self._out / self._file_name(result))
        elif self._out is None and self._form is not OutputFormat.JSON:
            typer.echo(result.text(self._form))

    def fail(self, failure: Failure) -> None:
        """Take note of a source that failed."""
        self._failures.append(failure)

    def close(self) -> None:
        """Put out what could not be put out before."""
        if self._out is None and self._form is OutputFormat.JSON:
            typer.echo(self._rendered(self._results))
        elif self._out is not None and not self._folder and self._results:
            write_file(self._rendered(self._results), self._out)

    def _rendered(self, results: list[Output]) -> str:
        if self._form is not OutputFormat.JSON:
            return "\n\n".join(result.text(self._form) for result in results)
        status = {ExitCode.DONE: "done", ExitCode.GAPS: "gaps"}.get(self.code, "failed")
        failures: list[JsonValue] = [{"source": f.source, "error": f.message} for f in self._failures]
        return envelope(self._command, status, results=[result.json() for result in results], failures=failures)

    def _file_name(self, result: Output) -> str:
        stem = Path(result.source).stem or "result"
        number, name = 1, f"{stem}.{self._form}"
        while name in self._names:
            number += 1
            name = f"{stem}-{number}.{self._form}"
        self._names.add(name)
        return name


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
    """Write a text to a file in one piece (temporary file, fsync, rename). Raises `ConfigError`."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            try:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o644)
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another --out") from error


def _check_writable(folder: Path) -> None:
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
