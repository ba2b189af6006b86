"""Options that several commands share, with one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Engine: TypeAlias = Annotated[
    str | None,
    typer.Option("--engine", help="auto, openai, embedded or scripted.", rich_help_panel="Engine", show_default="auto"),
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
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ModelsDir: TypeAlias = Annotated[Path | None, typer.Option("--models-dir", help="Folder of pulled models.")]
