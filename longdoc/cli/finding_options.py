"""How the text that something is asked of is named and searched: options that `lda ask` and `lda check` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from longdoc.app.finding import AskOptions

_FINDING = "Finding"


@dataclass(frozen=True, slots=True)
class FindingOptions:
    """What is searched, and how."""

    collection: Annotated[
        str | None,
        typer.Option("--collection", "-c", help="Ask a collection made by lda ingest.", rich_help_panel=_FINDING),
    ] = None
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy", help="auto, full, retrieve, cascade, xl3m or map (questions only).", rich_help_panel=_FINDING
        ),
    ] = "auto"
    scoring: Annotated[
        str | None,
        typer.Option(
            "--scoring",
            help="How the model scores segments: label, entropy, contrast or likelihood.",
            show_default="the best the engine can do",
            rich_help_panel=_FINDING,
        ),
    ] = None
    candidates: Annotated[
        int,
        typer.Option("--candidates", min=1, help="Segments scored by cascade.", rich_help_panel=_FINDING),
    ] = 64
    context_tokens: Annotated[
        int | None,
        typer.Option(
            "--context-tokens",
            min=32,
            help="Tokens of text that an answer is read from.",
            show_default="up to 8000",
            rich_help_panel=_FINDING,
        ),
    ] = None

    def asked(self) -> AskOptions:
        """The same for the application. Raises `ConfigError`."""
        from longdoc.app.finding import AskOptions
        from longdoc.cli.ask_job import scoring_mode

        return AskOptions(
            strategy=self.strategy,
            scoring=scoring_mode(self.scoring),
            candidates=self.candidates,
            context_tokens=self.context_tokens,
        )
