"""`lda eval`: how good results are, by measures from the literature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.comparison import ComparisonOptions

_SCORE = "Score"
_LENGTH = "Length and method"

app = typer.Typer(
    help="Measure results: coherence of summaries, methods side by side, what is found in long texts.",
    no_args_is_help=True,
)

BOOOOKSCORE_HELP = """
Score how coherent summaries are: BooookScore, the share of sentences that leave no reader confused.

A model judges every sentence from the summary alone. It measures coherence,
not truth. Compare only scores with the same judge, protocol and prompt.

Examples:

  lda eval booookscore summary.md

  lda eval booookscore k3f9a2 --base-url http://localhost:8000/v1

  lda eval booookscore summaries/*.md --protocol batch --json

  lda eval booookscore summary.md --dry-run

  lda eval booookscore summary.md --annotations annotations.json

  lda eval booookscore --published booookscore/

The last one recomputes the published table from its files, without a model;
it fails if a value differs by more than 0.1.
"""

COMPARE_HELP = """
Compare methods of summarizing, side by side, on the same books and model.

Each row tells how coherent a summary is (BooookScore, by the same model), how
much of it rests on the text, how far its length is off, what it repeats, and
what it took. 'lda summarize' then takes the method that did best on books of
about that size (--method auto), and says so.

Examples:

  lda eval compare book.epub

  lda eval compare shelf/ --words 300 --methods hierarchical,incremental

  lda eval compare book.epub --methods full,hierarchical:previous --out both.md

  lda eval compare a.epub b.epub --protocol sentence --json

  lda eval compare book.epub --dry-run

Stopped, interrupted or killed: run the same command again (without --fresh),
and it goes on where it was; what is recorded is not computed again.
"""


@app.callback()
def _group() -> None:
    """Keep the name of a command, however many there are."""


@app.command("booookscore", help=BOOOOKSCORE_HELP)
@options.with_run_options(formats="md, txt or json")
def booookscore(
    summaries: Annotated[
        list[str] | None,
        typer.Argument(help="Files, - for standard input, or runs whose result it is.", metavar="SUMMARY"),
    ] = None,
    *,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol", help="sentence: a call for each; batch: a call for ten, lenient.", rich_help_panel=_SCORE
        ),
    ] = "sentence",
    annotations: Annotated[
        Path | None,
        typer.Option(
            "--annotations", help="Take judgements from this file (JSON); ask no model.", rich_help_panel=_SCORE
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option("--published", help="Recompute the published table in this folder.", rich_help_panel=_SCORE),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the interval over books.", rich_help_panel=_SCORE)] = 0,
    run: options.RunOptions,
) -> None:
    """Parse the command line and score; `BOOOOKSCORE_HELP` is what people read."""
    from longdoc.app.evaluations import BooookscoreOptions
    from longdoc.cli.booookscore_job import BooookscoreJob, compare_published
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError

    chosen = run.format()
    if chosen is OutputFormat.HTML:
        raise ConfigError("scores are written as md, txt or json; choose another --format or --out")
    if published is not None:
        if summaries or annotations:
            raise ConfigError("--published reads its own summaries and annotations; give nothing else with it")
        raise typer.Exit(compare_published(published, chosen, run.out, seed=seed))
    if not summaries:
        raise ConfigError("name a summary to score, or the folder of published files with --published")
    job = BooookscoreJob(
        sources=summaries,
        options=BooookscoreOptions(protocol=protocol, seed=seed),
        annotations=annotations,
        run=run,
        form=chosen,
    )
    raise typer.Exit(job.start())


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison of methods can be told."""

    methods: Annotated[
        str | None,
        typer.Option(
            "--methods",
            help="Parted by commas: full, hierarchical, hierarchical:previous, incremental, scm.",
            show_default="all that can do the document",
            rich_help_panel=_LENGTH,
        ),
    ] = None
    words: Annotated[
        int | None, typer.Option("--words", help="Length to keep within a tenth of.", rich_help_panel=_LENGTH)
    ] = None
    segment_tokens: Annotated[
        int | None,
        typer.Option(
            "--segment-tokens",
            min=16,
            help="Tokens read by one call.",
            show_default="each method's own",
            rich_help_panel=_LENGTH,
        ),
    ] = None
    language: Annotated[
        str | None, typer.Option("--language", help="Language to write in.", rich_help_panel=_LENGTH)
    ] = None
    focus: Annotated[
        str | None, typer.Option("--focus", help="What the reader wants to know above all.", rich_help_panel=_LENGTH)
    ] = None
    judge: Annotated[
        bool, typer.Option("--judge/--no-judge", help="Have the model judge coherence.", rich_help_panel=_SCORE)
    ] = True
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="batch: a call for ten sentences, lenient; sentence: a call for each.",
            rich_help_panel=_SCORE,
        ),
    ] = "batch"
    seed: Annotated[int, typer.Option("--seed", help="Seed of intervals over books.", rich_help_panel=_SCORE)] = 0

    def options(self) -> ComparisonOptions:
        """As the comparison takes it. Raises `ConfigError`."""
        from longdoc.app.comparison import ComparisonOptions
        from longdoc.app.methods import parse_variant

        labels = () if self.methods is None else self.methods.split(",")
        return ComparisonOptions(
            methods=tuple(parse_variant(label.strip()) for label in labels),
            words=self.words,
            segment_tokens=self.segment_tokens,
            language=self.language,
            focus=self.focus,
            protocol=self.protocol,
            judge=self.judge,
            seed=self.seed,
        )


@app.command("compare", help=COMPARE_HELP)
@options.with_run_options(formats="md, txt or json", default_format="a table")
@options.with_fields("comparison", Comparison)
def compare(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders or patterns; - reads standard input.", metavar="BOOK")
    ],
    *,
    comparison: Comparison,
    run: options.RunOptions,
) -> None:
    """Parse the command line and compare; `COMPARE_HELP` is what people read."""
    from longdoc.cli.compare_job import CompareJob
    from longdoc.cli.output import OutputFormat
    from longdoc.cli.sources import expand_sources
    from longdoc.errors import ConfigError

    chosen = run.format()
    if chosen is OutputFormat.HTML:
        raise ConfigError("comparisons are written as md, txt or json; choose another --format or --out")
    job = CompareJob(
        sources=expand_sources(paths, out=run.out),
        options=comparison.options(),
        run=run,
        form=None if run.plain else chosen,
    )
    raise typer.Exit(job.start())
