"""`lda eval memory`: what policies of memory recall and answer, on dialogues with questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.eval_questions import app

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Workspace
    from longdoc.app.comparison import Watch
    from longdoc.app.memory_evaluation import MemoryOptions
    from longdoc.cli.memory_report_output import MemoryReportOutput

__all__ = ["app"]

_MEMORY = "Memory"

MEMORY_HELP = """
Compare what policies of memory recall of dialogues, at equal budgets of tokens.

PATH is a folder of the SCM test dialogues, a LoCoMo file or a LongMemEval file.
Recall is the share of the turns with the evidence that stand in the prompt;
--gold tells which these are where the files do not.

Examples:

  lda eval memory scm4llms/ --gold gold.json

  lda eval memory locomo10.json --policies auto,retrieve,scm --answers --judge

  lda eval memory longmemeval_s.json --budgets 1000,4000 --no-summaries --json

  lda eval memory scm4llms/ --gold gold.json --policies 'scm,scm without gate'

Stopped, interrupted or killed: run the same command again (without --fresh),
and it goes on where it was; what is recorded is not computed again.
"""


@dataclass(frozen=True, slots=True)
class TriedOptions:
    """What is tried on dialogues."""

    gold: Annotated[
        Path | None, typer.Option("--gold", help="Which turns hold the evidence (JSON).", rich_help_panel=_MEMORY)
    ] = None
    policies: Annotated[
        str, typer.Option("--policies", help="Parted by commas; 'all': ablations too.", rich_help_panel=_MEMORY)
    ] = "auto,full,retrieve,scm"
    budgets: Annotated[str, typer.Option("--budgets", help="Tokens for memories.", rich_help_panel=_MEMORY)] = (
        "500,1000,2000,4000"
    )
    answers: Annotated[
        bool, typer.Option("--answers", help="Answer the questions too, and score it.", rich_help_panel=_MEMORY)
    ] = False
    judge: Annotated[
        bool, typer.Option("--judge", help="Have the model mark the answers too.", rich_help_panel=_MEMORY)
    ] = False
    summaries: Annotated[
        bool,
        typer.Option(
            "--summaries/--no-summaries", help="Summarize long turns first: a call each.", rich_help_panel=_MEMORY
        ),
    ] = True

    def options(self) -> MemoryOptions:
        """The same for the evaluation. Raises `ConfigError`."""
        from longdoc.app.memory_evaluation import VARIANTS, MemoryOptions
        from longdoc.cli.question_job import parse_numbers

        every = self.policies == "all"
        names = tuple(VARIANTS) if every else tuple(name.strip() for name in self.policies.split(","))
        return MemoryOptions(
            names, parse_numbers(self.budgets), answers=self.answers, judge=self.judge, summaries=self.summaries
        )


@app.command("memory", help=MEMORY_HELP)
@options.with_run_options(formats="md, txt or json")
@options.with_fields("tried", TriedOptions)
def memory(
    path: Annotated[Path, typer.Argument(help="Dialogues with questions.", metavar="PATH")],
    *,
    tried: TriedOptions,
    run: options.RunOptions,
) -> None:
    """Parse the command line and compare; `MEMORY_HELP` is what people read."""
    from longdoc.app.memory_evaluation import evaluate_memory
    from longdoc.cli.evaluation_job import EvaluationJob
    from longdoc.cli.memory_report_output import MemoryReportOutput
    from longdoc.evaluation.dialogues import read_dialogues

    job = EvaluationJob("eval memory", run, "what judges are asked depends on what is found; limit it with --max-calls")
    asked = tried.options()
    dialogues = read_dialogues(path, tried.gold)

    async def evaluate(workspace: Workspace, watch: Watch) -> MemoryReportOutput:
        return MemoryReportOutput(await evaluate_memory(workspace, dialogues, asked, fresh=run.fresh, watch=watch))

    raise typer.Exit(job.start(evaluate))
