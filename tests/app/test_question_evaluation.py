"""Evaluations of questions over a real record: what a good judge finds, what is left out, what a repetition takes."""

import asyncio
import json
import math
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from longdoc.agents.answer_reader import EXCERPT_TOKENS
from longdoc.agents.events import Event, NodeDone, Planned, Warned
from longdoc.agents.relevance import ScoringMode
from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.indexing import open_index
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.question_answers import parse_answering
from longdoc.app.question_estimate import estimate_needles, estimate_threads, estimate_tsort
from longdoc.app.question_evaluation import evaluate_needles, evaluate_threads, evaluate_tsort
from longdoc.app.question_options import NeedleOptions, SortOptions, ThreadOptions, TrialOptions
from longdoc.app.question_strategies import SelectionStrategy, TextSelectors, Variant
from longdoc.app.runs import RunUsage
from longdoc.app.segmentation import counter_of
from longdoc.config import Settings
from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, Metadata
from longdoc.engines.budget import Budget
from longdoc.engines.embedder import Embedder, EmbedderInfo
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, TokenLogprob, Usage
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import BudgetExceededError, ConfigError, EngineUnavailableError
from longdoc.evaluation.needles import NeedleKind
from longdoc.evaluation.question_report import By, QuestionReport, answer_figures, order_figures, selection_figures
from longdoc.evaluation.recall import Ranking, select_within
from longdoc.evaluation.threads import ThreadKind
from longdoc.retrieval.key_context import build_key_context
from longdoc.storage.runs import Run, RunStatus

_FENCED = re.compile(r"<(\w+)>\n(.*?)\n</\1>", re.DOTALL)
_NAME = re.compile(r"(?<=\s)[A-Z]\w+(?: [A-Z]\w+)*")
_THINGS = ("lamp", "letter", "boat", "ledger", "map", "kettle", "orchard", "mirror", "harbour", "staircase")
_DEEDS = ("mended", "carried", "sold", "painted", "lost", "praised", "measured", "hid")


class NamedEmbedder(HashedEmbedder):
    """Hashed words that pass for a model, so that there is a search by them."""

    @property
    def info(self) -> EmbedderInfo:
        return replace(super().info, engine="test", identity="test")


@dataclass
class Watched:
    """What was shown of a run."""

    events: list[Event] = field(default_factory=list)
    usage: list[RunUsage] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def finish(self, run_id: str, usage: RunUsage) -> None:
        assert run_id
        self.usage.append(usage)

    @contextmanager
    def watch(self, title: str) -> Iterator["Watched"]:
        assert title
        yield self


def book(paragraphs: int = 120) -> Document:
    """Numbered paragraphs of about 50 tokens."""
    choose = random.Random(3)
    sentence = "then they {} the {} beside the {}"
    texts = [
        f"Paragraph {number} begins, and "
        + ", ".join(
            sentence.format(choose.choice(_DEEDS), choose.choice(_THINGS), choose.choice(_THINGS)) for _ in range(4)
        )
        + "."
        for number in range(100, 100 + paragraphs)
    ]
    builder = DocumentBuilder("text", "mill.txt")
    builder.metadata = Metadata(title="The Mill")
    for text in texts:
        builder.add_block(text, BlockKind.PARAGRAPH)
    return builder.build()


def fenced(request: CompletionRequest, tag: str) -> list[str]:
    return [text for name, text in _FENCED.findall(request.messages[-1].content) if name == tag]


def about(question: str, text: str) -> bool:
    """Whether a text has every name of a question."""
    names = _NAME.findall(question)
    return bool(names) and all(name in text for name in names)


def judged(request: CompletionRequest) -> Completion:
    """What a model says that knows whether a text has what the question names: it is sure, or wavers."""
    helps = any(about(fenced(request, "question")[0], text) for text in fenced(request, "text"))
    label = request.origin is not None and request.origin.name == "relevance/label"
    chances = ({"yes": 0.97, "no": 0.03} if helps else {"yes": 0.03, "no": 0.97}) if label else _wavering(helps)
    top = tuple(sorted(((token, math.log(p)) for token, p in chances.items()), key=lambda pair: -pair[1]))
    return Completion(top[0][0], FinishReason.STOP, Usage(100, 1), "scripted", 0.5, (TokenLogprob(*top[0], top=top),))


def _wavering(helps: bool) -> dict[str, float]:
    return {"x": 0.99, "y": 0.01} if helps else {str(number): 0.1 for number in range(10)}


def told_of(request: CompletionRequest, tag: str) -> tuple[int, str] | None:
    """The first sentence between such tags that has what the question names, and the number of its text."""
    question = fenced(request, "question")[0]
    for number, text in enumerate(fenced(request, tag), 1):
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            if about(question, sentence):
                return number, " ".join(sentence.split())
    return None


def answered(request: CompletionRequest) -> str:
    """An answer from the excerpts, cited."""
    told = told_of(request, "excerpt")
    claims = [{"quotes": [{"excerpt": told[0], "words": told[1]}], "text": told[1]}] if told else []
    return json.dumps({"found": bool(claims), "claims": claims})


def noted(request: CompletionRequest) -> str:
    """The notes on a part of a text."""
    told = told_of(request, "text")
    return json.dumps({"items": [{"quote": told[1], "text": told[1]}] if told else []})


def combined(request: CompletionRequest) -> str:
    """An answer from notes."""
    told = told_of(request, "note")
    return json.dumps({"found": told is not None, "claims": [{"notes": [told[0]], "text": told[1]}] if told else []})


def ordered(request: CompletionRequest) -> str:
    """The order of stretches by the numbers of their paragraphs."""
    firsts = [int(re.findall(r"Paragraph (\d+)", text)[0]) for text in fenced(request, "stretch")]
    return "Answer: " + " > ".join(str(firsts.index(first) + 1) for first in sorted(firsts))


def reply(request: CompletionRequest) -> str | Completion:
    assert request.origin is not None
    if request.origin.name.startswith("relevance/"):
        return judged(request)
    others = {"sort/order": ordered, "ask/map": noted, "ask/combine": combined}
    return others.get(request.origin.name, answered)(request)


def good_engine() -> ScriptedEngine:
    return ScriptedEngine(reply, logprobs=20)


Evaluate = Callable[[Workspace, Watched], Awaitable[QuestionReport]]


def evaluated(
    path: Path,
    evaluate: Evaluate,
    *,
    engine: ScriptedEngine | None = None,
    embedder: Embedder | None = None,
    max_calls: int | None = None,
    watched: Watched | None = None,
) -> QuestionReport:
    """The report of an evaluation on a record of its own."""
    seen = watched or Watched()

    async def main() -> QuestionReport:
        settings = Settings(database=str(path / "record.db"), attempts=1)
        async with open_records(settings) as records:
            wrapped = wrap_engine(engine or good_engine(), settings, Budget(max_calls=max_calls))

            async def chosen() -> EmbedderChoice:
                return EmbedderChoice(embedder or HashedEmbedder(), "hashed words")

            return await evaluate(Workspace(records, wrapped, LateEmbedder(chosen, notify=lambda _: None)), seen)

    return asyncio.run(main())


def stored_runs(path: Path) -> Sequence[Run]:
    async def main() -> Sequence[Run]:
        async with open_records(Settings(database=str(path / "record.db"))) as records:
            return await records.runs.list()

    return asyncio.run(main())


SMALL = TrialOptions(
    lengths=(2000, 4000), scoring=(ScoringMode.LABEL, ScoringMode.ENTROPY), budgets=(512, 1024), candidates=16
)
NAMED = NeedleOptions((NeedleKind.PLAIN, NeedleKind.DECOYS), depths=3, trial=SMALL)


def needles(options: NeedleOptions = NAMED, *, fresh: bool = False) -> Evaluate:
    return lambda workspace, seen: evaluate_needles(workspace, [book()], options, fresh=fresh, watch=seen.watch)


def only(*strategies: str, answers: str = "", **changes: object) -> NeedleOptions:
    asked = tuple(map(parse_answering, filter(None, answers.split(","))))
    trial = replace(SMALL, lengths=(2000,), strategies=tuple(map(SelectionStrategy, strategies)), answers=asked)
    return replace(NAMED, trial=replace(trial, **changes))  # pyright: ignore[reportArgumentType]


def test_a_model_that_judges_well_finds_every_needle_first(tmp_path: Path) -> None:
    report = evaluated(tmp_path, needles(), embedder=NamedEmbedder())
    found = {one.group.strategy: one for one in selection_figures(report.selection)}
    scored = [f"{name}:{mode}" for name in ("cascade", "cascade-relevance", "xl3m") for mode in ("label", "entropy")]
    assert list(found) == ["lexical", "dense", "retrieve", *scored, "random", "head", "tail", "head and tail"]
    for label in scored[2:]:
        assert found[label].found[1].rate == 1.0, label
    assert found["cascade:label"].selected[1024].rate == 1.0
    assert (found["random"].found[1].rate or 0) < 0.5
    assert found["xl3m:label"].effort.calls > found["cascade:label"].effort.calls * 0.5
    assert found["lexical"].effort.calls == 0
    assert report.failures == []


class ForgetfulEmbedder(NamedEmbedder):
    """Embeds texts, and fails for questions."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if len(texts) == 1:
            raise EngineUnavailableError("the embedder went away")
        return await super().embed(texts)


def test_where_the_embedder_fails_it_stops_instead_of_measuring_something_else(tmp_path: Path) -> None:
    watched = Watched()
    for options in (only("dense"), only("retrieve"), only("lexical", answers="retrieve")):
        with pytest.raises(EngineUnavailableError, match="went away"):
            evaluated(tmp_path, needles(options), embedder=ForgetfulEmbedder(), watched=watched)
    assert not any("words alone" in event.message for event in watched.events if isinstance(event, Warned))


def test_the_report_has_every_kind_length_and_depth_of_every_strategy(tmp_path: Path) -> None:
    report = evaluated(tmp_path, needles())
    cells = selection_figures(report.selection, by=By)
    strategies = {one.group.strategy for one in cells}
    groups = {(one.group.strategy, one.group.kind, one.group.length, one.group.depth) for one in cells}
    assert groups == {
        (strategy, kind, length, depth)
        for strategy in strategies
        for kind in ("plain", "decoys")
        for length in (2000, 4000)
        for depth in (0.0, 0.5, 1.0)
    }
    assert all(one.cases == 1 for one in cells), "chance with five seeds counts once"
    assert {recipe.seed for recipe in report.recipes} == {0}
    assert report.settings["model"] == "scripted"


def test_a_second_run_makes_no_calls_and_says_the_same(tmp_path: Path) -> None:
    first = evaluated(tmp_path, needles(only("retrieve", "cascade", "xl3m", answers="retrieve,cascade")))
    engine, watched = good_engine(), Watched()
    second = evaluated(
        tmp_path,
        needles(only("retrieve", "cascade", "xl3m", answers="retrieve,cascade")),
        engine=engine,
        watched=watched,
    )
    assert engine.calls == []
    assert [(o.strategy, o.case.id, o.recall, o.calls) for o in second.selection] == [
        (o.strategy, o.case.id, o.recall, o.calls) for o in first.selection
    ]
    assert [o.reply.text for o in second.answers] == [o.reply.text for o in first.answers]
    assert all(o.seconds is None for o in (*second.selection, *second.answers) if ":" in o.strategy)
    assert (watched.usage[0].calls, watched.usage[0].recorded > 0) == (0, True)


def test_it_goes_on_where_a_budget_stopped_it(tmp_path: Path) -> None:
    options = only("cascade")
    whole = good_engine()
    expected = evaluated(tmp_path / "whole", needles(options), engine=whole)
    made, stops = 0, 0
    while True:
        engine = good_engine()
        try:
            report = evaluated(tmp_path, needles(options), engine=engine, max_calls=20)
            break
        except BudgetExceededError:
            stops += 1
            assert stored_runs(tmp_path)[0].status is RunStatus.STOPPED
        finally:
            made += len(engine.calls)
    assert stops > 0
    assert made == len(whole.calls)
    assert [o.recall for o in report.selection] == [o.recall for o in expected.selection]


def test_it_is_a_run_with_a_node_for_each_text(tmp_path: Path) -> None:
    watched = Watched()
    evaluated(tmp_path, needles(only("retrieve")), watched=watched)
    (run,) = stored_runs(tmp_path)
    assert (run.kind, run.status, run.title) == ("eval needle", RunStatus.DONE, "Needles in The Mill")
    planned = [event.nodes for event in watched.events if isinstance(event, Planned)]
    assert planned == [sum(isinstance(event, NodeDone) for event in watched.events)]
    assert run.result_node == f"{run.id}.{planned[0]}"


def test_what_the_engine_cannot_do_is_left_out_with_a_remark(tmp_path: Path) -> None:
    report = evaluated(tmp_path, needles(only("dense", "retrieve", "cascade")), engine=ScriptedEngine(reply))
    assert {o.strategy for o in report.selection} == {"retrieve"}
    told = "; ".join(report.remarks)
    assert "left out: dense: there is no model for embeddings" in told
    assert "left out: cascade by label, entropy: scripted tells no probabilities" in told


def test_a_mode_that_the_engine_cannot_compute_is_left_out_alone(tmp_path: Path) -> None:
    options = only("cascade", scoring=(ScoringMode.LIKELIHOOD, ScoringMode.LABEL))
    report = evaluated(tmp_path, needles(options))
    assert {o.strategy for o in report.selection} == {"cascade:label"}
    assert any("cascade by likelihood" in remark for remark in report.remarks)


def test_where_nothing_can_be_tried_it_is_the_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing is left to try; left out: xl3m by label, entropy"):
        evaluated(tmp_path, needles(only("xl3m")), engine=ScriptedEngine(reply))


def test_long_texts_are_not_scored_whole(tmp_path: Path) -> None:
    options = only("retrieve", "xl3m", lengths=(2000, 4000), xl3m_up_to=6)
    report = evaluated(tmp_path, needles(options))
    assert {o.case.length for o in report.selection if o.strategy == "xl3m:label"} == {2000}
    assert "left out: xl3m of texts of 4,000 tokens, which have more than 6 segments" in report.remarks


def test_scored_strategies_take_the_time_on_the_clock_not_that_of_all_calls_at_once(tmp_path: Path) -> None:
    report = evaluated(tmp_path, needles(only("retrieve", "cascade", scoring=(ScoringMode.LABEL,))))
    for one in report.selection:
        assert one.seconds is not None
        assert one.seconds < 0.5 * max(1, one.calls), "each call says that it took half a second"


def test_a_strategy_that_found_its_scores_in_the_record_has_no_time(tmp_path: Path) -> None:
    options = only("cascade", "cascade-relevance", scoring=(ScoringMode.LABEL,))
    report = evaluated(tmp_path, needles(options))
    seconds = {one.group.strategy: one.effort.seconds for one in selection_figures(report.selection)}
    assert seconds["cascade:label"] is not None
    assert seconds["cascade-relevance:label"] is None


def test_budgets_count_as_the_context_of_an_answer_does(tmp_path: Path) -> None:
    document, question = book(), "mended the lamp"

    async def compared(workspace: Workspace, seen: Watched) -> QuestionReport:
        await workspace.records.documents.save(document)
        index = await open_index(workspace, [document], collection=None, emit=seen.emit)
        counter = counter_of(workspace.engine)
        try:
            selectors = TextSelectors(index, document, workspace.engine, candidates=16, emit=seen.emit, counter=counter)
            select = (await selectors.of([Variant(SelectionStrategy.LEXICAL)]))["lexical"]
            assert callable(select)
            ranking = await select(question)
            apart = {window.segment.start for window in (await index.windows())[::2]}
            hits = [hit for hit in await index.lexical(question, k=64) if hit.segment.start in apart]
        finally:
            index.close()
        spans = [span for span in ranking.spans if span.start in apart]
        for budget in (512, 900, 1500, 2000):
            held = {document.id: document}
            context = await build_key_context(hits, held, budget=budget, counter=counter, fence=EXCERPT_TOKENS)
            stretches = [(excerpt.start, excerpt.end) for excerpt in context.excerpts]
            assert select_within(Ranking(spans), budget) == stretches != []
        return QuestionReport("compared")

    evaluated(tmp_path, compared)


def test_the_terms_say_what_budgets_count(tmp_path: Path) -> None:
    report = evaluated(tmp_path, needles(only("retrieve")))
    assert report.settings["budgets"] == "tokens as scripted counts them, and 48 more for each segment"


def test_answers_come_in_the_ways_asked_for(tmp_path: Path) -> None:
    watched = Watched()
    options = only("lexical", "head", answers="full,retrieve,cascade,cascade:entropy,xl3m,map,auto")
    report = evaluated(tmp_path, needles(options), watched=watched)
    right = {one.group.strategy: one.right.rate for one in answer_figures(report.answers)}
    ways = ("full", "retrieve", "cascade:label", "cascade:entropy", "xl3m:label", "map", "auto")
    assert right == dict.fromkeys(ways, 1.0), "scored in the first mode, or as named"
    assert report.failures == []
    assert "auto took: full (6 answers)" in report.remarks
    warnings = [event.message for event in watched.events if isinstance(event, Warned)]
    assert len(warnings) == len(set(warnings))


def test_answers_that_engine_or_text_do_not_allow_are_left_out_with_a_remark(tmp_path: Path) -> None:
    options = only("lexical", answers="full,xl3m,cascade:likelihood", lengths=(2000, 16_000), xl3m_up_to=6)
    report = evaluated(tmp_path, needles(options))
    tried = {(outcome.strategy, outcome.case.length) for outcome in report.answers}
    assert tried == {("full", 2000), ("xl3m:label", 2000)}
    assert "left out: answers by full of texts of 16,000 tokens, which do not fit one call" in report.remarks
    assert "left out: xl3m of texts of 16,000 tokens, which have more than 6 segments" in report.remarks
    assert "left out: answers by cascade:likelihood: scripted does not tell what that takes" in report.remarks
    assert [one.missing for one in answer_figures(report.answers)] == [0, 0]


def test_answers_are_scored_in_the_first_mode_that_the_engine_can_compute(tmp_path: Path) -> None:
    modes = (ScoringMode.LIKELIHOOD, ScoringMode.ENTROPY, ScoringMode.LABEL)
    report = evaluated(tmp_path, needles(only("lexical", answers="cascade", scoring=modes)))
    assert {outcome.strategy for outcome in report.answers} == {"cascade:entropy"}


def test_a_fresh_evaluation_makes_every_call_once(tmp_path: Path) -> None:
    options = only("cascade", answers="retrieve,cascade", scoring=(ScoringMode.LABEL,))
    first = good_engine()
    evaluated(tmp_path, needles(options), engine=first)
    again = good_engine()
    evaluated(tmp_path, needles(options, fresh=True), engine=again)
    assert len(again.calls) == len(first.calls), "answers use the scores of this evaluation"


def test_a_fresh_evaluation_that_was_stopped_pays_nothing_twice(tmp_path: Path) -> None:
    options = only("cascade", answers="retrieve,cascade", scoring=(ScoringMode.LABEL,))
    first = good_engine()
    evaluated(tmp_path, needles(options), engine=first)
    stopped, resumed = good_engine(), good_engine()
    with pytest.raises(BudgetExceededError):
        evaluated(tmp_path, needles(options, fresh=True), engine=stopped, max_calls=len(first.calls) - 2)
    evaluated(tmp_path, needles(options, fresh=True), engine=resumed)
    assert (len(stopped.calls), len(resumed.calls)) == (len(first.calls) - 2, 2)


def test_threads_are_looked_up_by_the_same_strategies(tmp_path: Path) -> None:
    trial = replace(SMALL, lengths=(3000,), strategies=(SelectionStrategy.LEXICAL, SelectionStrategy.HEAD))
    options = ThreadOptions((ThreadKind.ONE, ThreadKind.THREAD), trial=trial)
    report = evaluated(tmp_path, lambda workspace, seen: evaluate_threads(workspace, options, watch=seen.watch))
    found = {(one.group.strategy, one.group.kind): one for one in selection_figures(report.selection, by=[By.KIND])}
    assert found["lexical", "one"].found[1].rate == 1.0, "the key stands in the question"
    assert (found["head", "one"].found[1].rate or 0) < 0.5
    assert (found["lexical", "thread"].selected[512].rate or 0) < 1.0, "what it leads to does not"


def test_stretches_are_put_in_order_with_what_did_not_fit_left_out(tmp_path: Path) -> None:
    options = SortOptions((800, 1600, 100_000), each=3)
    report = evaluated(tmp_path, lambda workspace, seen: evaluate_tsort(workspace, [book()], options, watch=seen.watch))
    figures = {one.group.length: one.figures for one in order_figures(report.orders)}
    assert {length: (one.whole.rate, one.pairs) for length, one in figures.items()} == {
        800: (1.0, 1.0),
        1600: (1.0, 1.0),
    }
    assert len({outcome.case.id for outcome in report.orders}) == 6
    assert any("left out: 100,000 tokens" in remark for remark in report.remarks)
    engine = good_engine()
    evaluated(
        tmp_path,
        lambda workspace, seen: evaluate_tsort(workspace, [book()], options, watch=seen.watch),
        engine=engine,
    )
    assert engine.calls == []


def test_an_estimate_tells_the_calls_that_are_made(tmp_path: Path) -> None:
    modes = (ScoringMode.LABEL, ScoringMode.CONTRAST, ScoringMode.ENTROPY)
    options = only("retrieve", "cascade", "cascade-relevance", "xl3m", answers="retrieve,cascade", scoring=modes)
    engine = good_engine()
    evaluated(tmp_path, needles(options), engine=engine)
    estimate = estimate_needles([book()], options, engine)
    together = estimate.strategies[-1]
    assert together.label == "all together"
    assert len(engine.calls) <= together.calls <= 1.5 * len(engine.calls)
    assert sum(one.calls for one in estimate.strategies[:-1]) > together.calls, "what is shared counts once"
    assert (estimate.cases, estimate.tokens) == (6, 2000 * estimate.texts)


def test_an_estimate_tells_the_calls_of_every_way_of_answering(tmp_path: Path) -> None:
    for ways in ("full", "map", "auto", "xl3m", "cascade:entropy"):
        options = only("lexical", answers=ways, lengths=(2000,))
        engine = good_engine()
        evaluated(tmp_path / ways.replace(":", "-"), needles(options), engine=engine)
        together = estimate_needles([book()], options, engine).strategies[-1].calls
        assert len(engine.calls) <= together <= 2 * len(engine.calls), ways
    long = estimate_needles([book()], only("lexical", answers="full,xl3m", lengths=(64_000,)), good_engine())
    assert [one.calls for one in long.strategies] == [0, 0, 0, 0], "neither can answer from a text as long"
    assert any("left out: xl3m of texts of 64,000 tokens" in remark for remark in long.remarks)


def test_estimates_of_threads_and_orders_count_their_cases() -> None:
    engine = good_engine()
    threads = estimate_threads(ThreadOptions(trial=replace(SMALL, lengths=(8000,))), engine)
    assert threads.cases == len(ThreadOptions().tasks())
    orders = estimate_tsort([book()], SortOptions((800,), each=4), engine)
    assert (orders.cases, orders.strategies[0].calls) == (4, 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TrialOptions(lengths=()),
        lambda: TrialOptions(budgets=(0,)),
        lambda: parse_answering("guess"),
        lambda: parse_answering("retrieve:label"),
        lambda: parse_answering("cascade:loud"),
        lambda: NeedleOptions(depths=0),
        lambda: NeedleOptions(kinds=()),
        lambda: ThreadOptions(each=0),
        lambda: SortOptions(each=0),
    ],
)
def test_what_cannot_be_asked_for_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()
