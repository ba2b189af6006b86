"""How the text that something is asked of is named and searched: options that `lda ask` and `lda check` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

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
    reader: options.Reader = None
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
            help="How the model scores segments: likelihood, label, entropy or contrast.",
            show_default="the best the engine can do",
            rich_help_panel=_FINDING,
        ),
    ] = None
    candidates: Annotated[
        int | None,
        typer.Option(
            "--candidates",
            min=1,
            help="Segments of which cascade scores parts.",
            show_default="64",
            rich_help_panel=_FINDING,
        ),
    ] = None
    context_tokens: Annotated[
        int | None,
        typer.Option(
            "--context-tokens",
            min=128,
            help="Tokens of text that an answer is read from.",
            show_default="up to 8000",
            rich_help_panel=_FINDING,
        ),
    ] = None

    def asked(self) -> AskOptions:
        """The same for the application. Raises `ConfigError`."""
        from longdoc.agents.segment_ranking import PREFILTERED
        from longdoc.app.finding import AskOptions
        from longdoc.app.strategies import SCORED, Strategy
        from longdoc.cli.ask_job import scoring_mode
        from longdoc.errors import ConfigError

        scoring = scoring_mode(self.scoring)
        if scoring is not None and self.strategy not in SCORED:
            raise ConfigError("segments are scored with --strategy cascade or xl3m; name one, or leave out --scoring")
        if self.candidates is not None and self.strategy != Strategy.CASCADE:
            raise ConfigError("--candidates goes with --strategy cascade; name it, or leave out --candidates")
        if self.context_tokens is not None and self.strategy in {Strategy.FULL, Strategy.MAP}:
            raise ConfigError(f"--strategy {self.strategy} reads all of the text; leave out --context-tokens")
        return AskOptions(
            strategy=self.strategy,
            scoring=scoring,
            candidates=PREFILTERED if self.candidates is None else self.candidates,
            context_tokens=self.context_tokens,
        )
