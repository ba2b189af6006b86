"""Comparing methods over a real record: what fails, what stops, what is kept for the automatic choice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from longdoc.agents.events import Event
from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.comparison import Comparison, ComparisonOptions, compare
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.methods import MethodVariant, parse_variant
from longdoc.app.runs import RunUsage
from longdoc.app.summaries import SummaryOptions, estimate
from longdoc.config import Settings
from longdoc.documents.document import Document, Metadata
from longdoc.engines.budget import Budget
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import CompletionRequest, Engine, EngineInfo
from longdoc.engines.extractive import extractive_answer
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ContextTooLongError, EngineAuthError, EngineUnavailableError, InvalidOutputError, LdaError
from longdoc.storage.evaluations import MethodScore
from longdoc.storage.runs import RunStatus

CLEAR = '{"questions": null, "types": []}'
WHO = '{"questions": "Who is she?", "types": ["entity omission"]}'
SMALL = {"segment_tokens": 60}

Answer = Callable[[CompletionRequest], str]
Work = Callable[[Workspace], Awaitable[None]]


class ToyEngine(ScriptedEngine):
    """A scripted engine that says it is a toy."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, toy=True)


@dataclass
class Watched:
    """What was shown of the runs."""

    titles: list[str] = field(default_factory=list)
    finished: list[tuple[str, int]] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        pass

    def finish(self, run_id: str, usage: RunUsage) -> None:
        self.finished.append((run_id, usage.calls))

    @contextmanager
    def watch(self, title: str) -> Iterator["Watched"]:
        self.titles.append(title)
        yield self


def book(title: str = "Events", paragraphs: int = 30) -> Document:
    text = "\n\n".join(f"In {title}, event {i} happened because of event {i - 1}." for i in range(paragraphs))
    return Document(title.lower(), text, "text", Metadata(title=title))


def prompt(request: CompletionRequest) -> str:
    assert request.origin is not None
    return request.origin.name


def answer(request: CompletionRequest) -> str:
    """Summaries of two sentences; those of the incremental method leave their reader with a question."""
    if prompt(request).startswith("judge/"):
        sentences = request.messages[-1].content.split("<sentence>\n")[1:]
        return f'{{"answers": [{", ".join(WHO if "she" in sentence else CLEAR for sentence in sentences)}]}}'
    who = "she" if prompt(request) == "summarize/update" else "Ada"
    return f"It began with {len(request.messages[-1].content)} letters. Then {who} went home."


def options(*methods: str, judge: bool = True, **settings: object) -> ComparisonOptions:
    variants = tuple(map(parse_variant, methods or ("hierarchical", "incremental")))
    return ComparisonOptions(methods=variants, judge=judge, **{**SMALL, **settings})  # pyright: ignore[reportArgumentType]


def with_workspace(path: Path, work: Work, *, engine: Engine | None = None, max_calls: int | None = None) -> None:
    async def main() -> None:
        settings = Settings(database=str(path / "record.db"), attempts=1)
        async with open_records(settings) as records:
            wrapped = wrap_engine(engine or ScriptedEngine(answer), settings, Budget(max_calls=max_calls))
            await work(Workspace(records, wrapped, LateEmbedder(_hashed, notify=lambda _: None)))

    asyncio.run(main())


async def _hashed() -> EmbedderChoice:
    return EmbedderChoice(HashedEmbedder(), "hashed words")


def compared(
    path: Path,
    asked: ComparisonOptions,
    *documents: Document,
    engine: Engine | None = None,
    watched: Watched | None = None,
) -> Comparison:
    found: list[Comparison] = []

    async def work(workspace: Workspace) -> None:
        watch = (watched or Watched()).watch
        found.append(await compare(workspace, documents or (book(),), asked, fresh=False, watch=watch))

    with_workspace(path, work, engine=engine)
    return found[0]


def stored(path: Path, model: str = "scripted") -> dict[str, MethodScore]:
    found: dict[str, MethodScore] = {}

    async def work(workspace: Workspace) -> None:
        found.update({score.method: score for score in await workspace.records.scores.of_model(model)})

    with_workspace(path, work)
    return found


def stopped(path: Path, engine: Engine, *methods: str) -> LdaError:
    """What ended a comparison."""

    async def work(workspace: Workspace) -> None:
        await compare(workspace, [book()], options(*methods), fresh=False, watch=Watched().watch)

    with pytest.raises(LdaError) as caught:
        with_workspace(path, work, engine=engine)
    return caught.value


def failing(name: str, error: Exception) -> ScriptedEngine:
    """An engine that fails on one template."""

    def fail(request: CompletionRequest) -> str:
        if prompt(request) == name:
            raise error
        return answer(request)

    return ScriptedEngine(fail)


def test_each_summary_is_made_judged_and_measured(tmp_path: Path) -> None:
    watched = Watched()
    comparison = compared(tmp_path, options(words=10), watched=watched)
    merged, updated = comparison.done
    assert (merged.variant, updated.variant) == (MethodVariant("hierarchical"), MethodVariant("incremental"))
    assert (merged.figures.coherence, updated.figures.coherence) == (1.0, 0.5)
    assert merged.figures.words == 9
    assert merged.figures.length_error == pytest.approx(0.1)
    assert merged.judging.calls == 1
    assert sorted(watched.titles) == [
        "Events, hierarchical",
        "Events, hierarchical, judged",
        "Events, incremental",
        "Events, incremental, judged",
    ]
    assert len(watched.finished) == 4


def test_the_record_answers_the_same_comparison_again(tmp_path: Path) -> None:
    first = compared(tmp_path, options())
    watched = Watched()
    again = compared(tmp_path, options(), watched=watched)
    assert [trial.figures for trial in again.done] == [trial.figures for trial in first.done]
    assert [calls for _, calls in watched.finished] == [0] * 4


def test_figures_are_kept_with_all_that_makes_them_comparable(tmp_path: Path) -> None:
    comparison = compared(tmp_path, options(words=10, focus="who went home"))
    score = stored(tmp_path)["incremental"]
    figures = comparison.done[1].figures
    assert (score.document_id, score.words, score.coherence) == ("events", 10, 0.5)
    assert score.settings == {"segment_tokens": 60, "focus": "who went home"}
    assert (score.judge, score.protocol, score.prompt) == ("scripted", "batch", "judge/batch.v1")
    assert (score.tokens, score.seconds) == (figures.prompt_tokens + figures.completion_tokens, figures.seconds)
    assert score.document_tokens == pytest.approx(len(book().text) / 4, abs=1)
    assert not score.toy


def test_the_automatic_choice_takes_what_measured_better(tmp_path: Path) -> None:
    def engine() -> ScriptedEngine:
        return ScriptedEngine(answer, context_window=3000)

    compared(tmp_path, options("incremental", "scm"), book(paragraphs=200), engine=engine())
    reasons: list[str] = []

    async def work(workspace: Workspace) -> None:
        choice, _ = await estimate(workspace, book("Others", 220), SummaryOptions(segment_tokens=60))
        reasons.extend((choice.name, choice.reason))

    with_workspace(tmp_path, work, engine=engine())
    assert reasons[0] == "scm"
    assert "1.00 against 0.50 for incremental over 1 book" in reasons[1]


def test_judgements_of_a_toy_are_marked_and_not_learned_from(tmp_path: Path) -> None:
    compared(tmp_path, options("incremental", "scm"), engine=ToyEngine(answer))
    assert {score.toy for score in stored(tmp_path).values()} == {True}, "what follows is said in test_methods"


def test_without_a_judge_nothing_is_judged(tmp_path: Path) -> None:
    comparison = compared(tmp_path, options(judge=False))
    assert [trial.figures.coherence for trial in comparison.done] == [None, None]
    assert [trial.judged for trial in comparison.done] == [None, None]
    assert stored(tmp_path)["incremental"].judge is None


def test_a_method_that_fails_on_a_book_does_not_stop_the_others(tmp_path: Path) -> None:
    def answer_but_no_blocks(request: CompletionRequest) -> str:
        return "" if prompt(request) == "scm/block" else answer(request)

    comparison = compared(
        tmp_path,
        options("scm", "hierarchical"),
        book(),
        book("Others"),
        engine=ScriptedEngine(answer_but_no_blocks),
    )
    assert [(trial.document.title, trial.variant.name) for trial in comparison.failed] == [
        ("Events", "scm"),
        ("Others", "scm"),
    ]
    assert all(isinstance(trial.error, InvalidOutputError) for trial in comparison.failed)
    assert [trial.document.title for trial in comparison.done] == ["Events", "Others"]
    assert [mean.trials for mean in comparison.means] == [2]


def test_a_summary_that_cannot_be_judged_keeps_its_other_figures(tmp_path: Path) -> None:
    too_long = ContextTooLongError("the summary does not fit the window")
    comparison = compared(tmp_path, options("hierarchical"), engine=failing("judge/batch", too_long))
    (trial,) = comparison.done
    assert (trial.figures.coherence, trial.unjudged) == (None, "the summary does not fit the window")
    assert trial.gaps
    assert trial.figures.support_rate is not None
    assert stored(tmp_path)["hierarchical"].coherence is None


def test_sentences_that_could_not_be_judged_are_a_gap(tmp_path: Path) -> None:
    def nonsense(request: CompletionRequest) -> str:
        return "Well." if prompt(request).startswith("judge/") else answer(request)

    (trial,) = compared(tmp_path, options("hierarchical"), engine=ScriptedEngine(nonsense)).done
    assert trial.figures.coherence is None
    assert trial.gaps


@pytest.mark.parametrize("error", [EngineAuthError("the key is refused"), EngineUnavailableError("nobody answers")])
@pytest.mark.parametrize("template", ["summarize/update", "judge/batch"])
def test_what_would_end_every_method_ends_the_comparison(tmp_path: Path, error: LdaError, template: str) -> None:
    assert stopped(tmp_path, failing(template, error)) is error
    assert compared(tmp_path, options()).failed == ()


def test_stopped_by_a_budget_at_any_call_it_goes_on_and_comes_to_the_same_end(tmp_path: Path) -> None:
    (tmp_path / "at once").mkdir()
    whole = compared(tmp_path / "at once", options())
    found: list[Comparison] = []
    stops: list[bool] = []
    made: list[CompletionRequest] = []

    async def work(workspace: Workspace) -> None:
        try:
            found.append(await compare(workspace, [book()], options(), fresh=False, watch=Watched().watch))
        except LdaError as error:
            stops.append(error.resumable)

    while not found:
        engine = ScriptedEngine(answer)
        with_workspace(tmp_path, work, engine=engine, max_calls=1)
        made += engine.calls
        assert len(stops) < 100
    assert all(stops)
    assert len(stops) == len(made) - 1
    assert len({request.messages for request in made}) == len(made)
    (comparison,) = found
    assert [trial.result.summary.text for trial in comparison.done] == [
        trial.result.summary.text for trial in whole.done
    ]
    assert [trial.figures.coherence for trial in comparison.done] == [1.0, 0.5]


def test_default_methods_are_those_that_can_do_a_document(tmp_path: Path) -> None:
    long, short = book(paragraphs=200), book("Short", 4)
    asked = ComparisonOptions(judge=False)
    comparison = compared(tmp_path, asked, long, short, engine=ScriptedEngine(extractive_answer, context_window=2048))
    tried = [(trial.document.title, trial.variant.label) for trial in comparison.trials]
    assert tried == [
        *(("Events", method) for method in ("hierarchical", "incremental", "scm")),
        *(("Short", method) for method in ("full", "hierarchical", "incremental", "scm")),
    ]
    assert comparison.failed == ()


def test_a_document_given_twice_is_one(tmp_path: Path) -> None:
    assert len(compared(tmp_path, options(), book(), book()).trials) == 2


def test_the_mean_of_a_method_has_an_interval_over_books(tmp_path: Path) -> None:
    (mean,) = compared(tmp_path, options("incremental"), book(), book("Others", 2)).means
    assert mean.figures.coherence == 0.75, "one segment is not updated"
    assert mean.interval == (0.5, 1.0)


def test_each_method_is_a_run_of_its_own(tmp_path: Path) -> None:
    comparison = compared(tmp_path, options("hierarchical", "hierarchical:previous"))

    async def work(workspace: Workspace) -> None:
        for trial in comparison.done:
            run = await workspace.records.runs.get(trial.result.run_id)
            assert (run.kind, run.status, run.parameters["method"]) == ("summarize", RunStatus.DONE, "hierarchical")
            assert trial.judged is not None
            assert trial.judged.run_id is not None
            assert (await workspace.records.runs.get(trial.judged.run_id)).kind == "booookscore"

    with_workspace(tmp_path, work)
    assert len({trial.result.run_id for trial in comparison.done}) == 2
