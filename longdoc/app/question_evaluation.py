"""Measuring how questions are answered, from end to end: texts made, indexed, selected from and answered by strategies.

Owns the order of the work and what a report must tell; texts and cases, measures and figures are `evaluation`'s. An
evaluation is one run; its calls are recorded, so that one that was stopped goes on, and one repeated makes none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit, Event, Planned, Warned
from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.app.question_options import (
    SORT_TOKENS,
    NeedleOptions,
    SortOptions,
    ThreadOptions,
    cases_to_sort,
    counted,
    key_texts,
    needle_texts,
    needle_title,
)
from longdoc.app.question_trials import Asked, Trials, at_once_of, in_words
from longdoc.app.runs import OpenRun, open_run
from longdoc.documents.document import Document
from longdoc.evaluation import planted, threads
from longdoc.evaluation.answer_match import score_anywhere, score_start
from longdoc.evaluation.answer_trial import Reply, try_sorting
from longdoc.evaluation.filler import filler_of
from longdoc.evaluation.gold import GoldText
from longdoc.evaluation.question_report import (
    QuestionReport,
)
from longdoc.evaluation.tsort import INSTRUCTION, SortCase
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.nodes import Node
from longdoc.storage.runs import RunRequest, RunStatus

_MODEL = "model"


async def evaluate_needles(
    workspace: Workspace, documents: Sequence[Document], options: NeedleOptions, *, fresh: bool = False, watch: Watch
) -> QuestionReport:
    """Plant needles in texts made of some documents, and see which strategies find them, and answer.

    Raises `ConfigError` for what cannot be made or tried, and what a later run may overcome; what else fails for a case
    is in the report.
    """
    filler = filler_of(documents)
    plans = options.plans(filler)
    count, texts = needle_texts(filler, plans, options.trial)
    await _save(workspace, documents)
    request = RunRequest(
        kind="eval needle",
        title=needle_title(filler, options),
        document_ids=[document.id for document in documents],
        parameters={
            "kinds": list(map(str, options.kinds)),
            "each": options.each,
            "depths": options.depths,
            "generator": planted.GENERATOR_VERSION,
            **options.trial.parameters(),
        },
        model=workspace.engine.info.identity,
    )
    asked = Asked(options.trial, score_anywhere, cases=len(plans) * len(options.trial.lengths), texts=count)
    return await _evaluate(workspace, request, asked, texts, fresh=fresh, watch=watch)


async def evaluate_threads(
    workspace: Workspace, options: ThreadOptions, *, fresh: bool = False, watch: Watch
) -> QuestionReport:
    """Have values looked up, and followed, in texts of random keys and values. Raises as `evaluate_needles`."""
    count, texts = key_texts(options)
    request = RunRequest(
        kind="eval threads",
        title="Key-value threads",
        document_ids=(),
        parameters={
            "kinds": list(map(str, options.kinds)),
            "each": options.each,
            "generator": threads.GENERATOR_VERSION,
            **options.trial.parameters(),
        },
        model=workspace.engine.info.identity,
    )
    asked = Asked(options.trial, score_start, cases=len(options.tasks()) * len(options.trial.lengths), texts=count)
    return await _evaluate(workspace, request, asked, texts, fresh=fresh, watch=watch)


async def evaluate_tsort(
    workspace: Workspace, documents: Sequence[Document], options: SortOptions, *, fresh: bool = False, watch: Watch
) -> QuestionReport:
    """Have the engine put shuffled stretches of documents in order. Raises as `evaluate_needles`."""
    info = workspace.engine.info
    cases, left_out = cases_to_sort(documents, options, info)
    await _save(workspace, documents)
    names = ", ".join(document.title for document in documents)
    request = RunRequest(
        kind="eval tsort",
        title=f"Stretches of {names} in order",
        document_ids=[document.id for document in documents],
        parameters={"lengths": list(options.lengths), "each": options.each, "seed": options.seed},
        model=info.identity,
    )
    with watch(request.title) as view:
        async with open_run(workspace, request, fresh=fresh, emit=view.emit) as run:
            run.emit(Planned(len(cases), f"{counted(len(cases), 'question')}, a call each"))
            sorter = _Sorter(workspace, run)
            outcomes = await try_sorting(cases, {_MODEL: sorter.sort}, at_once=at_once_of(info))
            report = QuestionReport(
                request.title,
                orders=outcomes,
                settings={"model": info.identity, "seed": str(options.seed)},
                remarks=left_out,
            )
            await _close(workspace, run, report)
        view.finish(run.id, run.usage)
    return report


async def _evaluate(
    workspace: Workspace, request: RunRequest, asked: Asked, texts: Iterator[GoldText], *, fresh: bool, watch: Watch
) -> QuestionReport:
    with watch(request.title) as view:
        async with open_run(workspace, request, fresh=fresh, emit=_each_warning_once(view.emit)) as run:
            run.emit(Planned(asked.texts, f"{counted(asked.cases, 'case')} in {counted(asked.texts, 'text')}"))
            fresh_since = (await workspace.records.runs.get(run.id)).fresh_since
            trials = Trials(workspace, run, asked, fresh_since=fresh_since)
            while (text := await asyncio.to_thread(next, texts, None)) is not None:
                await trials.add(text)
            report = trials.report(request.title)
            await _close(workspace, run, report, children=trials.nodes)
        view.finish(run.id, run.usage)
    return report


class _Sorter:
    """Has the engine put stretches in order."""

    def __init__(self, workspace: Workspace, run: OpenRun) -> None:
        self._run = run
        self._max_tokens = min(SORT_TOKENS, workspace.engine.info.max_output or SORT_TOKENS)

    async def sort(self, case: SortCase) -> Reply:
        """Ask for the order of a case. Raises what `Engine.complete` raises."""
        prompt = render(
            "sort/order",
            {
                "instruction": INSTRUCTION,
                "before": _quoted(case, "before", case.before),
                "stretches": [_quoted(case, str(number), text) for number, text in enumerate(case.stretches, 1)],
                "after": _quoted(case, "after", case.after),
            },
        )
        request = request_of(prompt, max_tokens=self._max_tokens)
        said = await call(self._run.engine, request, purpose="order of stretches", emit=self._run.emit)
        return Reply(said.text, 1, said.usage.prompt_tokens, said.seconds)


async def _close(workspace: Workspace, run: OpenRun, report: QuestionReport, *, children: Sequence[str] = ()) -> None:
    """Store what came of everything as the result of the run."""
    node = Node(f"{run.id}.{len(children)}", run.id, len(children), 1, report.title, in_words(report))
    await workspace.records.nodes.save(node, children=children)
    run.result_node = node.id
    run.status = RunStatus.GAPS if report.failures else RunStatus.DONE


async def _save(workspace: Workspace, documents: Sequence[Document]) -> None:
    for document in documents:
        await workspace.records.documents.save(document)


def _quoted(case: SortCase, part: str, text: str) -> Quoted:
    return Quoted(text, {"case": case.id, "title": case.title, "part": part})


def _each_warning_once(emit: Emit) -> Emit:
    """The same events, without warnings that were given before: texts and questions are many."""
    said: set[str] = set()

    def filtered(event: Event) -> None:
        if isinstance(event, Warned):
            if event.message in said:
                return
            said.add(event.message)
        emit(event)

    return filtered
