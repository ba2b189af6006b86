"""`lda eval`: how good results are, by measures from the literature."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longdoc.cli import options

_SCORE = "Score"

app = typer.Typer(help="Measure results: the coherence of summaries.", no_args_is_help=True)

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


@app.callback()
def _group() -> None:
    """Keep the name of a command, however many there are."""


@app.command("booookscore", help=BOOOOKSCORE_HELP)
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
    out: options.Out = None,
    form: options.Format = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    dry_run: options.DryRun = False,
    fresh: options.Fresh = False,
    max_calls: options.MaxCalls = None,
    max_tokens_total: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    engine: options.Engine = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    concurrency: options.Concurrency = None,
    database: options.Database = None,
) -> None:
    """Parse the command line and score; `BOOOOKSCORE_HELP` is what people read."""
    from longdoc.app.evaluations import BooookscoreOptions
    from longdoc.cli.booookscore_job import BooookscoreJob, compare_published
    from longdoc.cli.output import OutputFormat, chosen_format
    from longdoc.config import load_settings
    from longdoc.engines.budget import Budget
    from longdoc.errors import ConfigError

    chosen = chosen_format(form, out, json=json)
    if chosen is OutputFormat.HTML:
        raise ConfigError("scores are written as md, txt or json; choose another --format or --out")
    if published is not None:
        if summaries or annotations:
            raise ConfigError("--published reads its own summaries and annotations; give nothing else with it")
        raise typer.Exit(compare_published(published, chosen, out, seed=seed))
    if not summaries:
        raise ConfigError("name a summary to score, or the folder of published files with --published")
    given = {
        "engine": engine,
        "model": model,
        "base_url": base_url,
        "concurrency": concurrency,
        "database": database,
    }
    job = BooookscoreJob(
        sources=summaries,
        options=BooookscoreOptions(protocol=protocol, seed=seed),
        annotations=annotations,
        out=out,
        form=chosen,
        dry_run=dry_run,
        fresh=fresh,
        quiet=quiet,
    )
    budget = Budget(max_calls=max_calls, max_tokens=max_tokens_total, max_cost=max_cost)
    raise typer.Exit(job.run(load_settings(given), budget))
