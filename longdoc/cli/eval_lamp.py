"""`lda eval lamp`: what summaries and items of users are worth, on questions about users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.eval_writing import app

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Workspace
    from longdoc.app.comparison import Watch
    from longdoc.app.profile_evaluation import LampOptions
    from longdoc.cli.lamp_output import LampOutput
    from longdoc.evaluation.lamp_report import LampReport
    from longdoc.evaluation.lamp_set import LampSet

__all__ = ["app"]

_PROFILES = "Profiles"

LAMP_HELP = """
Measure what stands of a user before a request: nothing, items, the summary, both.

PATH is a LaMP file of inputs, with its outputs beside it or in --gold, or a folder with profiles.json, questions.jsonl
and gold.jsonl. Without PATH, --planted makes users whose preferences are known.

All systems have the same budget of tokens. Beside them stand no profile, the newest items, items by chance, and what is
commonest in the profile, without a model. Intervals are over users; users with fewer than three items are told apart.

Examples:

  lda eval lamp LaMP_3/dev_questions.json --limit 200

  lda eval lamp commit-titles/ --k 0,1,4 --plots plots/ --out titles.md

  lda eval lamp --planted 50 --task lamp-2

Stopped, interrupted or killed: run the same command again (without --fresh), and it goes on where it was. Summaries
that were made stay, also with --fresh.
"""


@dataclass(frozen=True, slots=True)
class TriedProfiles:
    """What is tried on users."""

    gold: Annotated[
        Path | None,
        typer.Option("--gold", help="The outputs of a LaMP file.", show_default="beside it", rich_help_panel=_PROFILES),
    ] = None
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="lamp-1 to lamp-7, with --planted several parted by commas.",
            show_default="that of the file, or all",
            rich_help_panel=_PROFILES,
        ),
    ] = None
    planted: Annotated[
        int | None,
        typer.Option("--planted", min=1, help="So many made users instead of a PATH.", rich_help_panel=_PROFILES),
    ] = None
    takes: Annotated[
        str, typer.Option("--k", help="Numbers of items, parted by commas.", rich_help_panel=_PROFILES)
    ] = "0,1,2,4"
    summaries: Annotated[
        bool,
        typer.Option(
            "--summary/--no-summary", help="With the summary too, a call for each user.", rich_help_panel=_PROFILES
        ),
    ] = True
    by: Annotated[
        str,
        typer.Option("--by", help="Items by: bm25, dense, fused, newest, random.", rich_help_panel=_PROFILES),
    ] = "bm25"
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            min=32,
            help="Tokens of a user before a request.",
            show_default="2,000, or a quarter of the window",
            rich_help_panel=_PROFILES,
        ),
    ] = None
    near: Annotated[
        bool,
        typer.Option(
            "--no-near-duplicates",
            help="Take items out that are over 0.9 similar to what is asked.",
            rich_help_panel=_PROFILES,
        ),
    ] = False
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Only so many questions, of each user in turn.", rich_help_panel=_PROFILES),
    ] = None
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, help="Of chance and intervals, and of made users.", rich_help_panel=_PROFILES),
    ] = 0
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Folder for pictures (PNG).", rich_help_panel="Output")
    ] = None

    def options(self) -> LampOptions:
        """The same for the evaluation. Raises `ConfigError`."""
        from longdoc.app.profile_evaluation import LampOptions
        from longdoc.errors import ConfigError
        from longdoc.memory.profile_ranking import Ranked

        try:
            ranked = Ranked(self.by)
        except ValueError as error:
            named = ", ".join(one.value for one in Ranked)
            raise ConfigError(f"items are not found by {self.by!r}; choose from: {named}") from error
        return LampOptions(
            _numbers(self.takes),
            summaries=self.summaries,
            ranked=ranked,
            budget=self.budget,
            near=self.near,
            seed=self.seed,
        )

    def sets(self, path: Path | None) -> Sequence[LampSet]:
        """The sets that are meant. Raises `DocumentError`, and `ConfigError` where it is not clear which."""
        from longdoc.errors import ConfigError
        from longdoc.evaluation.lamp_files import read_set
        from longdoc.evaluation.lamp_tasks import task_number
        from longdoc.evaluation.planted_users import planted_sets

        if (path is None) is (self.planted is None):
            raise ConfigError("name a PATH, or make users with --planted, one of the two")
        if path is not None:
            return [read_set(path, gold=self.gold, task=self.task).limited(self.limit)]
        if self.gold is not None:
            raise ConfigError("made users have their own gold outputs; leave --gold out")
        tasks = [f"lamp-{task_number(name)}" for name in self.task.split(",")] if self.task else []
        return [one.limited(self.limit) for one in planted_sets(self.planted or 1, seed=self.seed, tasks=tasks)]


@app.command("lamp", help=LAMP_HELP)
@options.with_run_options(formats="md, txt or json")
@options.with_fields("tried", TriedProfiles)
def lamp(
    path: Annotated[Path | None, typer.Argument(help="Questions about users.", metavar="PATH")] = None,
    *,
    tried: TriedProfiles,
    run: options.RunOptions,
) -> None:
    """Parse the command line and measure; `LAMP_HELP` is what people read."""
    from longdoc.app.profile_evaluation import evaluate_profiles
    from longdoc.cli.eval_writing import check_plots
    from longdoc.cli.evaluation_job import EvaluationJob
    from longdoc.cli.lamp_output import LampOutput

    job = EvaluationJob(
        "eval lamp", run, "how many calls it takes depends on answers; limit it with --max-calls, or --limit"
    )
    check_plots(tried.plots)
    asked, sets = tried.options(), tried.sets(path)

    async def evaluate(workspace: Workspace, watch: Watch) -> LampOutput:
        report = await evaluate_profiles(workspace, sets, asked, fresh=run.fresh, watch=watch)
        if tried.plots is not None:
            _draw(report, tried.plots)
        return LampOutput(report)

    raise typer.Exit(job.start(evaluate))


def _numbers(text: str) -> tuple[int, ...]:
    """Numbers of items. Raises `ConfigError`."""
    from longdoc.errors import ConfigError

    try:
        return tuple(int(one) for one in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{text!r} is no list of numbers of items, like 0,1,4") from error


def _draw(report: LampReport, folder: Path) -> None:
    """A picture of each set. Raises `ConfigError`."""
    from longdoc.evaluation.lamp_plots import draw_scores

    for part in report.parts:
        name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in part.name)
        draw_scores(part.figures(), folder / f"{name}.png", title=f"{part.name}: scores by what stands of a user")
