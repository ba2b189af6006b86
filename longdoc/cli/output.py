"""Results as text: Markdown, plain text, or the JSON envelope; printed, or written in one piece."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from longdoc.agents.summary import SummaryEstimate
from longdoc.app.runs import RunUsage
from longdoc.app.summaries import SummaryResult
from longdoc.documents.document import Document
from longdoc.engines.engine import EngineInfo, Usage
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue

ENVELOPE_VERSION = 1


class OutputFormat(StrEnum):
    """How a result is written."""

    MARKDOWN = "md"
    TEXT = "txt"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class EstimateResult:
    """What a summary of a document would take on an engine."""

    document: Document
    estimate: SummaryEstimate
    engine: EngineInfo


def chosen_format(name: str | None, out: Path | None, *, json: bool) -> OutputFormat:
    """The format asked for, or that of the file's extension, or Markdown. Raises `ConfigError`."""
    if json:
        return OutputFormat.JSON
    suffix = out.suffix.removeprefix(".") if out is not None else ""
    wanted = name or (suffix if suffix in set(OutputFormat) else OutputFormat.MARKDOWN)
    if wanted not in set(OutputFormat):
        raise ConfigError(f"there is no format {wanted!r}; choose one of: {', '.join(OutputFormat)}")
    return OutputFormat(wanted)


def write_results(results: Sequence[SummaryResult | EstimateResult], *, form: OutputFormat, out: Path | None) -> None:
    """Write results to a file (several: one file each, into a folder), or to standard output."""
    if out is None or len(results) == 1:
        write_text(_render(results, form), out)
        return
    for result in results:
        stem = Path(result.document.source).stem or result.document.id[:12]
        write_text(_render([result], form), out / f"{stem}.{form}")


def write_text(text: str, out: Path | None) -> None:
    """Print a text, or write it to a file in one piece (temporary file, fsync, rename). Raises `ConfigError`."""
    if out is None:
        typer.echo(text)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=out.parent, delete=False, encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(0o644)
        Path(file.name).replace(out)
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}; choose another --out") from error


def envelope(command: str, status: str, **content: JsonValue) -> str:
    """The JSON object that every command prints with --json."""
    body: dict[str, JsonValue] = {"longdoc": ENVELOPE_VERSION, "command": command, "status": status, **content}
    return json.dumps(body, ensure_ascii=False, indent=2)


def _render(results: Sequence[SummaryResult | EstimateResult], form: OutputFormat) -> str:
    if form is OutputFormat.JSON:
        gaps = any(isinstance(result, SummaryResult) and result.summary.gaps for result in results)
        status = "gaps" if gaps else "done"
        return envelope("summarize", status, results=[_as_json(result) for result in results])
    return "\n\n".join(_as_text(result, form) for result in results)


def _as_text(result: SummaryResult | EstimateResult, form: OutputFormat) -> str:
    if isinstance(result, EstimateResult):
        return _estimate_text(result)
    if form is OutputFormat.TEXT:
        return result.summary.text
    notes = [f"> Not covered: {gap}" for gap in result.summary.gaps]
    return "\n\n".join([f"# {result.document.title}", result.summary.text, *notes])


def _estimate_text(result: EstimateResult) -> str:
    estimate = result.estimate
    return (
        f"{result.document.title}: at most {estimate.calls} calls in {estimate.levels} levels, "
        f"{estimate.prompt_tokens:,} tokens read and {estimate.completion_tokens:,} written, "
        f"${_cost(result):.4f}, when every answer is good at the first attempt"
    )


def _cost(result: EstimateResult) -> float:
    return result.engine.cost(Usage(result.estimate.prompt_tokens, result.estimate.completion_tokens))


def _as_json(result: SummaryResult | EstimateResult) -> JsonValue:
    if isinstance(result, EstimateResult):
        return {
            "document": _document_json(result.document),
            "estimate": {
                "calls": result.estimate.calls,
                "levels": result.estimate.levels,
                "prompt_tokens": result.estimate.prompt_tokens,
                "completion_tokens": result.estimate.completion_tokens,
                "cost": _cost(result),
            },
        }
    summary = result.summary
    return {
        "run": result.run_id,
        "document": _document_json(result.document),
        "summary": {
            "node": summary.node_id,
            "text": summary.text,
            "words": len(summary.text.split()),
            "levels": summary.levels,
            "nodes": summary.nodes,
            "truncated": summary.truncated,
            "gaps": list(summary.gaps),
        },
        "usage": usage_json(result.usage),
    }


def _document_json(document: Document) -> JsonValue:
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
