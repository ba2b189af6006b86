"""Options that several commands share, with one help text each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_type_hints

import typer

if TYPE_CHECKING:
    from longdoc.cli.output import OutputFormat
    from longdoc.config import Settings
    from longdoc.engines.budget import Budget

Engine: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="auto, openai, embedded, vllm, langchain or scripted.",
        rich_help_panel="Engine",
        show_default="auto",
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
Reader: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--reader", help="Read by a reader of LlamaIndex, named as module:Class.", show_default="what the file is"
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ModelsDir: TypeAlias = Annotated[Path | None, typer.Option("--models-dir", help="Folder of pulled models.")]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What every command that makes calls can be told: where its result goes, what it may spend, on which engine."""

    out: Out = None
    form: Format = None
    json: Json = False
    quiet: Quiet = False
    dry_run: DryRun = False
    fresh: Fresh = False
    max_calls: MaxCalls = None
    max_tokens_total: MaxTokens = None
    max_cost: MaxCost = None
    engine: Engine = None
    model: Model = None
    base_url: BaseUrl = None
    concurrency: Concurrency = None
    database: Database = None

    @property
    def bounded(self) -> bool:
        """Whether calls, tokens or money are limited."""
        return not (self.max_calls is None and self.max_tokens_total is None and self.max_cost is None)

    @property
    def plain(self) -> bool:
        """Whether neither a format nor a file was asked for: people read the result in the terminal."""
        return not self.json and self.out is None and self.form is None

    def budget(self) -> Budget:
        """The limits of this run."""
        from longdoc.engines.budget import Budget

        return Budget(max_calls=self.max_calls, max_tokens=self.max_tokens_total, max_cost=self.max_cost)

    def settings(self) -> Settings:
        """The settings with what the command line says. Raises `ConfigError`."""
        from longdoc.config import load_settings

        names = ("engine", "model", "base_url", "concurrency", "database")
        return load_settings({name: getattr(self, name) for name in names})

    def format(self) -> OutputFormat:
        """The format asked for, or that of the file to write. Raises `ConfigError` for one that is not known."""
        from longdoc.cli.output import chosen_format

        return chosen_format(self.form, self.out, json=self.json)


def with_run_options(
    *, formats: str = "md, txt, html or json", default_format: str = "md"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `RunOptions`, which it gets as its parameter `run`."""
    form = typer.Option("--format", help=f"{formats}.", show_default=default_format, rich_help_panel="Output")
    return with_fields("run", RunOptions, form=Annotated[str | None, form])


def with_fields(
    name: str, group: type[Any], **other_hints: object
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of a dataclass as options; it gets them together, as its parameter `name`.

    `other_hints` are for fields that a command describes in its own way.
    """
    hints = {**get_type_hints(group, include_extras=True), **other_hints}
    shared = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(group)
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [parameter for parameter in signature.parameters.values() if parameter.name != name]

        @wraps(command)
        def with_options(**given: object) -> None:
            of_group: dict[str, Any] = {parameter.name: given.pop(parameter.name) for parameter in shared}
            command(**given, **{name: group(**of_group)})

        parameters = [*own, *shared]
        with_options.__signature__ = signature.replace(parameters=parameters)  # pyright: ignore[reportAttributeAccessIssue]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorate
