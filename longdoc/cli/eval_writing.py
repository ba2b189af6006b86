"""`lda eval writing`: lengths and quality of long texts, on prompts that ask for a length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.eval_memory import app

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Workspace
    from longdoc.app.comparison import Watch
    from longdoc.app.writing_evaluation import WritingOptions
    from longdoc.cli.writing_output import WritingOutput
    from longdoc.evaluation.writing_prompts import WritingPrompt
    from longdoc.evaluation.writing_report import WritingReport

__all__ = ["app"]

_WRITING = "Writing"

WRITING_HELP = """
Measure how ways of writing hold the length that is asked for, and how good their texts are.

PATH is a file of prompts: LongBench-Write or LongWrite-Ruler (JSONL), or a HelloBench file. A length score (S_l) is 100
for as many words as are asked for, and 0 for none, for a third, and for four times as many; it rewards length only, so
what is repeated stands beside it, and with --judge the model's own marks (S_q).

Examples:

  lda eval writing longbench_write.jsonl

  lda eval writing longwrite_ruler.jsonl --systems "longdoc,one call,agentwrite" --most-words 5000

  lda eval writing longbench_write.jsonl --judge 3 --plots plots/ --out writing.md

Stopped, interrupted or killed: run the same command again (without --fresh), and it goes on where it was.
"""


@dataclass(frozen=True, slots=True)
class TriedWriting:
    """What is tried on prompts."""

    systems: Annotated[
        str,
        typer.Option(
            "--systems",
            help="Parted by commas: longdoc, longdoc at once, one call, agentwrite, agentwrite at once; or all.",
            rich_help_panel=_WRITING,
        ),
    ] = "longdoc"
    judge: Annotated[
        int,
        typer.Option("--judge", min=0, help="How often the model marks each text.", rich_help_panel=_WRITING),
    ] = 0
    least_words: Annotated[
        int,
        typer.Option(
            "--least-words", min=0, help="Only prompts that ask for at least so many.", rich_help_panel=_WRITING
        ),
    ] = 0
    most_words: Annotated[
        int | None,
        typer.Option(
            "--most-words", min=1, help="Only prompts that ask for at most so many.", rich_help_panel=_WRITING
        ),
    ] = None
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Only so many prompts, from the first.", rich_help_panel=_WRITING),
    ] = None
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Another number, other texts.", rich_help_panel=_WRITING)
    ] = 0
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Folder for pictures (PNG).", rich_help_panel="Output")
    ] = None

    def options(self) -> WritingOptions:
        """The same for the evaluation. Raises `ConfigError`."""
        from longdoc.app.writing_evaluation import SYSTEMS, WritingOptions

        names = SYSTEMS if self.systems == "all" else tuple(name.strip() for name in self.systems.split(","))
        return WritingOptions(names, judge=self.judge, seed=self.seed)

    def prompts(self, path: Path) -> list[WritingPrompt]:
        """The prompts of a file that are meant. Raises `DocumentError`, and `ConfigError` where there are none."""
        from longdoc.errors import ConfigError
        from longdoc.evaluation.writing_prompts import read_prompts

        found = [
            prompt
            for prompt in read_prompts(path)
            if self.least_words <= (prompt.asked or 0) <= (self.most_words or math.inf)
        ]
        if not found:
            raise ConfigError(f"no prompt of {path} is meant; see --least-words and --most-words")
        return found[: self.limit]


@app.command("writing", help=WRITING_HELP)
@options.with_run_options(formats="md, txt or json")
@options.with_fields("tried", TriedWriting)
def writing(
    path: Annotated[Path, typer.Argument(help="A file of prompts.", metavar="PATH")],
    *,
    tried: TriedWriting,
    run: options.RunOptions,
) -> None:
    """Parse the command line and measure; `WRITING_HELP` is what people read."""
    from longdoc.app.writing_evaluation import evaluate_writing
    from longdoc.cli.evaluation_job import EvaluationJob
    from longdoc.cli.writing_output import WritingOutput

    job = EvaluationJob("eval writing", run, "what is written depends on plans; limit it with --max-calls, or --limit")
    check_plots(tried.plots)
    asked, prompts = tried.options(), tried.prompts(path)

    async def evaluate(workspace: Workspace, watch: Watch) -> WritingOutput:
        report = await evaluate_writing(workspace, prompts, asked, fresh=run.fresh, watch=watch)
        if tried.plots is not None:
            _draw(report, tried.plots)
        return WritingOutput(report)

    raise typer.Exit(job.start(evaluate))


def check_plots(folder: Path | None) -> None:
    """Find out before anything is spent whether pictures can be drawn. Raises `ConfigError`."""
    from importlib.util import find_spec

    from longdoc.cli.output import check_writable
    from longdoc.errors import ConfigError

    if folder is not None and find_spec("matplotlib") is None:
        raise ConfigError("pictures need matplotlib; install it with: pip install 'longdoc[eval]'")
    if folder is not None:
        check_writable(folder)


def _draw(report: WritingReport, folder: Path) -> None:
    """The pictures of a report. Raises `ConfigError`."""
    from longdoc.evaluation.writing_plots import draw_length_scores, draw_lengths

    draw_lengths(report.results, folder / "lengths.png", title="Words asked for and written")
    figures = [one for bucket in report.buckets for one in report.figures(bucket=bucket)]
    draw_length_scores(figures, folder / "length-scores.png", title="Length score by length")
