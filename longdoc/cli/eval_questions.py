"""`lda eval needle`, `passkey`, `threads`, `tsort`: what strategies find and answer, on texts that are made for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from longdoc.cli import options
from longdoc.cli.eval import app

if TYPE_CHECKING:
    from longdoc.app.question_options import NeedleOptions, TrialOptions

_CASES = "Cases"
_STRATEGIES = "Strategies"

_KEPT = """
The texts that are made are kept in the record and indexed beside it; a
--database of their own keeps them apart from what you work with.

Stopped, interrupted or killed: run the same command again (without --fresh),
and it goes on where it was; what is recorded is not computed again.
"""

NEEDLE_HELP = f"""
Plant invented facts in long texts, and see which strategies find them, at equal budgets of tokens.

The files given are what the texts are made of, repeated to reach a length.
Kinds: plain shares words with its question, paraphrase none; bridge takes two
facts; decoys are facts of the same form under other names.

Examples:

  lda eval needle book.epub --database needles.db

  lda eval needle shelf/ --lengths 8k,64k,512k --each 5 --png needles.png

  lda eval needle book.epub --strategies lexical,dense,retrieve

  lda eval needle book.epub --answers retrieve,cascade:entropy,map

  lda eval needle book.epub --lengths 4k --answers full,auto --png found.png

  lda eval needle book.epub --lengths 4M --dry-run
{_KEPT}"""

PASSKEY_HELP = f"""
Hide five-digit numbers in long texts, and see which strategies find them, at equal budgets of tokens.

The files given are what the texts are made of, repeated to reach a length.

Examples:

  lda eval passkey book.epub --lengths 8k,64k --each 5 --database needles.db

  lda eval passkey book.epub --png passkeys.png --json

  lda eval passkey book.epub --strategies retrieve,xl3m --xl3m-up-to 200 --dry-run
{_KEPT}"""

THREADS_HELP = f"""
Look values up in a long object of random keys, and follow them from one to the next; no files are needed.

Kinds: one key, many, all with a mark (conditional), a thread of values that
are keys again, several threads. Nothing of it is known from elsewhere, and a
thread cannot be found by scoring its pieces alone.

Examples:

  lda eval threads --lengths 8k,64k --database threads.db

  lda eval threads --kinds one,thread --strategies lexical,retrieve --json

  lda eval threads --answers retrieve,cascade --dry-run
{_KEPT}"""

TSORT_HELP = """
Have the model put four neighbouring stretches of a book, shuffled, in order again.

Each question is one call that holds all of its text. A whole order is guessed
once in 24 times, a pair every second time.

Examples:

  lda eval tsort book.epub

  lda eval tsort shelf/ --lengths 2k,8k --each 20 --json

  lda eval tsort book.epub --dry-run

Stopped, interrupted or killed: run the same command again (without --fresh),
and it goes on where it was; what is recorded is not computed again.
"""

Paths: TypeAlias = Annotated[
    list[str], typer.Argument(help="Files, folders or patterns; - reads standard input.", metavar="PATH")
]
Lengths: TypeAlias = Annotated[
    str, typer.Option("--lengths", help="Tokens of the texts, like 8k,512k,4M.", rich_help_panel=_CASES)
]
EachDepth: TypeAlias = Annotated[
    int, typer.Option("--each", min=1, help="Cases of each kind at each depth.", rich_help_panel=_CASES)
]
Depths: TypeAlias = Annotated[
    int, typer.Option("--depths", min=1, max=101, help="Depths, from beginning to end.", rich_help_panel=_CASES)
]
Seed: TypeAlias = Annotated[int, typer.Option("--seed", help="Seed of everything made.", rich_help_panel=_CASES)]
Strategies: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--strategies",
        help="Parted by commas: lexical, dense, retrieve, cascade, cascade-relevance, xl3m, random, head, tail, "
        "'head and tail'.",
        show_default="all that can be",
        rich_help_panel=_STRATEGIES,
    ),
]
Scoring: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scoring",
        help="How the model scores: likelihood, label, entropy, contrast.",
        show_default="all that can be",
        rich_help_panel=_STRATEGIES,
    ),
]
Candidates: TypeAlias = Annotated[
    int,
    typer.Option("--candidates", min=1, help="Segments of which cascade scores parts.", rich_help_panel=_STRATEGIES),
]
Budgets: TypeAlias = Annotated[
    str, typer.Option("--budgets", help="Tokens that may be selected.", rich_help_panel=_STRATEGIES)
]
Answers: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--answers",
        help="Also answer, by: full (where the text fits), retrieve, cascade, xl3m, map, auto; cascade:entropy names "
        "a mode, else it is the first of --scoring.",
        show_default="none",
        rich_help_panel=_STRATEGIES,
    ),
]
XL3MUpTo: TypeAlias = Annotated[
    int,
    typer.Option("--xl3m-up-to", min=0, help="Segments of a text that are all scored.", rich_help_panel=_STRATEGIES),
]
Png: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--png",
        help="Draw what is found by length and depth, and what is answered in NAME-answers.png.",
        rich_help_panel="Output",
    ),
]


@dataclass(frozen=True, slots=True)
class Trial:
    """What every command that tries strategies can be told."""

    lengths: Lengths = "8k,64k"
    seed: Seed = 0
    strategies: Strategies = None
    scoring: Scoring = None
    candidates: Candidates = 64
    budgets: Budgets = "512,1024,2048,4096,8192"
    xl3m_up_to: XL3MUpTo = 64
    answers: Answers = None
    png: Png = None

    def options(self) -> TrialOptions:
        """As the evaluation takes it. Raises `ConfigError`."""
        from longdoc.agents.relevance import ScoringMode
        from longdoc.app.question_options import SCORING, TrialOptions
        from longdoc.app.question_strategies import SelectionStrategy
        from longdoc.cli.question_job import parse_answers, parse_lengths, parse_names, parse_numbers

        return TrialOptions(
            lengths=parse_lengths(self.lengths),
            strategies=parse_names(self.strategies, SelectionStrategy, "strategy"),
            scoring=SCORING if self.scoring is None else parse_names(self.scoring, ScoringMode, "scoring"),
            candidates=self.candidates,
            budgets=parse_numbers(self.budgets),
            seed=self.seed,
            answers=parse_answers(self.answers),
            xl3m_up_to=self.xl3m_up_to,
        )


@app.command("needle", help=NEEDLE_HELP)
@options.with_run_options(formats="md, txt or json", default_format="tables")
@options.with_fields("trial", Trial)
def needle(
    paths: Paths,
    *,
    kinds: Annotated[
        str, typer.Option("--kinds", help="Parted by commas; passkey is another.", rich_help_panel=_CASES)
    ] = "plain,paraphrase,bridge,decoys",
    each: EachDepth = 1,
    depths: Depths = 11,
    trial: Trial,
    run: options.RunOptions,
) -> None:
    """Parse the command line and evaluate; `NEEDLE_HELP` is what people read."""
    from longdoc.app.question_options import NeedleOptions
    from longdoc.cli.question_job import parse_names
    from longdoc.evaluation.needles import NeedleKind

    asked = NeedleOptions(parse_names(kinds, NeedleKind, "kind"), each, depths, trial.options())
    _plant("eval needle", paths, asked, run, trial.png)


@app.command("passkey", help=PASSKEY_HELP)
@options.with_run_options(formats="md, txt or json", default_format="tables")
@options.with_fields("trial", Trial)
def passkey(
    paths: Paths,
    *,
    each: EachDepth = 1,
    depths: Depths = 11,
    trial: Trial,
    run: options.RunOptions,
) -> None:
    """Parse the command line and evaluate; `PASSKEY_HELP` is what people read."""
    from longdoc.app.question_options import NeedleOptions
    from longdoc.evaluation.needles import NeedleKind

    _plant("eval passkey", paths, NeedleOptions((NeedleKind.PASSKEY,), each, depths, trial.options()), run, trial.png)


@app.command("threads", help=THREADS_HELP)
@options.with_run_options(formats="md, txt or json", default_format="tables")
@options.with_fields("trial", Trial)
def threads(
    *,
    kinds: Annotated[
        str, typer.Option("--kinds", help="Parted by commas.", rich_help_panel=_CASES)
    ] = "one,many,conditional,thread,threads",
    each: Annotated[int, typer.Option("--each", min=1, help="Cases of each question.", rich_help_panel=_CASES)] = 1,
    trial: Trial,
    run: options.RunOptions,
) -> None:
    """Parse the command line and evaluate; `THREADS_HELP` is what people read."""
    from longdoc.app.question_estimate import estimate_threads
    from longdoc.app.question_evaluation import evaluate_threads
    from longdoc.app.question_options import ThreadOptions
    from longdoc.cli.question_job import QuestionJob, parse_names
    from longdoc.errors import ConfigError
    from longdoc.evaluation.threads import ThreadKind

    asked = ThreadOptions(parse_names(kinds, ThreadKind, "kind"), each, trial.options())
    if trial.png is not None and ThreadKind.ONE not in asked.kinds:
        raise ConfigError("only single keys stand at a depth; draw them with --kinds one")
    job = QuestionJob(
        "eval threads",
        lambda engine: estimate_threads(asked, engine),
        lambda workspace, watch: evaluate_threads(workspace, asked, fresh=run.fresh, watch=watch),
        run,
        trial.png,
    )
    raise typer.Exit(job.start())


@app.command("tsort", help=TSORT_HELP)
@options.with_run_options(formats="md, txt or json", default_format="tables")
def tsort(
    paths: Paths,
    *,
    lengths: Lengths = "2k,4k",
    each: Annotated[
        int, typer.Option("--each", min=1, help="Cases of each length in each file.", rich_help_panel=_CASES)
    ] = 10,
    seed: Seed = 0,
    run: options.RunOptions,
) -> None:
    """Parse the command line and evaluate; `TSORT_HELP` is what people read."""
    from longdoc.app.question_estimate import estimate_tsort
    from longdoc.app.question_evaluation import evaluate_tsort
    from longdoc.app.question_options import SortOptions
    from longdoc.cli.question_job import QuestionJob, parse_lengths
    from longdoc.cli.reading import read_source
    from longdoc.cli.sources import expand_sources

    asked = SortOptions(parse_lengths(lengths), each, seed)
    documents = [read_source(source) for source in expand_sources(paths, out=run.out)]
    job = QuestionJob(
        "eval tsort",
        lambda engine: estimate_tsort(documents, asked, engine),
        lambda workspace, watch: evaluate_tsort(workspace, documents, asked, fresh=run.fresh, watch=watch),
        run,
    )
    raise typer.Exit(job.start())


def _plant(command: str, paths: list[str], asked: NeedleOptions, run: options.RunOptions, png: Path | None) -> None:
    """Read the files, then plant and evaluate."""
    from longdoc.app.question_estimate import estimate_needles
    from longdoc.app.question_evaluation import evaluate_needles
    from longdoc.cli.question_job import QuestionJob
    from longdoc.cli.reading import read_source
    from longdoc.cli.sources import expand_sources

    documents = [read_source(source) for source in expand_sources(paths, out=run.out)]
    job = QuestionJob(
        command,
        lambda engine: estimate_needles(documents, asked, engine),
        lambda workspace, watch: evaluate_needles(workspace, documents, asked, fresh=run.fresh, watch=watch),
        run,
        png,
    )
    raise typer.Exit(job.start())
