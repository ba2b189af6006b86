"""Options that several commands share, with one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Engine: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--engine", help="auto, openai, embedded, vllm or scripted.", rich_help_panel="Engine", show_default="auto"
    ),
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option("--model", help="Model name, catalogue name or GGUF file.", rich_help_panel="Engine"),
]
BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option("--base-url", help="Address of an OpenAI-compatible server.", rich_help_panel="Engine"),
]
Concurrency: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--concurrency", min=1, help="Calls at once.", rich_help_panel="Engine", show_default="found while running"
    ),
]
Database: TypeAlias = Annotated[
    str | None,
    typer.Option("--database", help="SQLite file or PostgreSQL address of the record.", rich_help_panel="Engine"),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="File (or, for several inputs, folder) to write.", rich_help_panel="Output"),
]
Format: TypeAlias = Annotated[
    str | None, typer.Option("--format", help="md, txt, html or json.", show_default="md", rich_help_panel="Output")
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress on standard error.", rich_help_panel="Output")
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would take; spend nothing.", rich_help_panel="Budget")
]
Fresh: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="Ignore what earlier runs recorded.", rich_help_panel="Budget")
]
MaxCalls: TypeAlias = Annotated[
    int | None, typer.Option("--max-calls", min=0, help="Stop before more calls.", rich_help_panel="Budget")
]
MaxTokens: TypeAlias = Annotated[
    int | None, typer.Option("--max-tokens-total", min=0, help="Stop before more tokens.", rich_help_panel="Budget")
]
MaxCost: TypeAlias = Annotated[
    float | None, typer.Option("--max-cost", min=0, help="Stop before more US dollars.", rich_help_panel="Budget")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ModelsDir: TypeAlias = Annotated[Path | None, typer.Option("--models-dir", help="Folder of pulled models.")]
