"""Comparing ways of writing long texts on prompts that ask for a length: what is written, how good, at what cost.

Texts of longdoc are drafts like any other, so that an evaluation that is stopped goes on where it was; their names
begin with "eval/". What other systems write is answered from the ledger.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Final

from longdoc.agents.events import CallFinished, Event, NodeDone, Planned, Warned
from longdoc.agents.graph import run_graph
from longdoc.agents.published_writing import PublishedText, PublishedWriter
from longdoc.agents.sentences import count_words
from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.app.draft_editing import draft_name
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.app.runs import OpenRun, open_run
from longdoc.app.segmentation import counter_of
from longdoc.errors import ConfigError, LdaError
from longdoc.evaluation.writing_judge import WritingJudge
from longdoc.evaluation.writing_prompts import WritingPrompt
from longdoc.evaluation.writing_repeats import (
    near_duplicate_sentences,
    repeated_four_grams,
    repeated_four_grams_across,
)
from longdoc.evaluation.writing_report import WritingReport, WritingResult
from longdoc.evaluation.writing_scores import benchmark_words, plan_coverage, sections_in_tolerance
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted, versions
from longdoc.storage.runs import RunRequest, RunStatus

DRAFT_PREFIX: Final = "eval/"
"""What the names of drafts begin with that an evaluation made."""
LONGDOC, PARALLEL, ONE_CALL, AGENTWRITE, AGENTWRITE_PARALLEL = SYSTEMS = (
    "longdoc",
    "longdoc at once",
    "one call",
    "agentwrite",
    "agentwrite at once",
)
"""What is compared: longdoc's own two ways, a single call, and AgentWrite as it was published in two."""
_AT_ONCE = 16
_TEMPLATES = ("plan", "section", "short", "continue", "synopsis", "tighten", "length")


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """What is tried. `judge` is how often the model marks each text, 0 for not at all; `seed` makes other texts."""

    systems: tuple[str, ...] = (LONGDOC,)
    judge: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if len(set(self.systems)) < len(self.systems):
            raise ConfigError("a system is named twice")
        unknown = [name for name in self.systems if name not in SYSTEMS]
        if unknown or not self.systems:
            named = f"there is no system {unknown[0]!r}" if unknown else "no system is named"
            raise ConfigError(f"{named}; choose from: {', '.join(SYSTEMS)}")


@dataclass(slots=True)
class _Text:
    """What a system wrote for a prompt: the text, and its sections with what was planned for them."""

    text: str
    sections: Sequence[str] = ()
    points: Sequence[str] = ()
    budgets: Sequence[int] = ()
    failure: str | None = None


@dataclass(slots=True)
class _Tally:
    """What the calls for a text took, whoever answered them."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def over(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """Events, counted on their way."""

        def hear(event: Event) -> None:
            if isinstance(event, CallFinished):
                self.calls += 1
                self.prompt_tokens += event.completion.usage.prompt_tokens
                self.completion_tokens += event.completion.usage.completion_tokens
            if isinstance(event, CallFinished | Warned):
                emit(event)

        return hear


async def evaluate_writing(
    workspace: Workspace,
    prompts: Sequence[WritingPrompt],
    options: WritingOptions,
    *,
    fresh: bool = False,
    watch: Watch,
) -> WritingReport:
    """Have every system write for every prompt. What fails for one is in the report, as a score of 0.

    Raises what a later run may overcome, and `ConfigError`.
    """
    if not prompts:
        raise ConfigError("there are no prompts")
    title = f"Writing for {len(prompts)} prompts"
    request = RunRequest(
        kind="eval writing",
        title=title,
        document_ids=(),
        parameters={
            "prompts": [_digest(prompt.prompt) for prompt in prompts],
            "systems": list(options.systems),
            "judge": options.judge,
            "seed": options.seed,
        },
        model=workspace.engine.info.identity,
    )
    with watch(title) as view:
        async with open_run(workspace, request, fresh=fresh, emit=view.emit) as run:
            since = (await workspace.records.runs.get(run.id)).fresh_since
            trials = _Trials(workspace, run, options, since=since)
            tried = [(system, prompt) for prompt in prompts for system in options.systems]
            run.emit(Planned(len(tried), f"{len(prompts)} prompts, {len(options.systems)} systems"))
            # The longest first: they take longest, and one after the other in themselves.
            order = sorted(range(len(tried)), key=lambda number: -(tried[number][1].asked or 0))
            found: dict[int, WritingResult] = {}

            async def try_one(place: int) -> None:
                found[order[place]] = await trials.tried(*tried[order[place]])

            await run_graph([()] * len(tried), try_one, at_once=_AT_ONCE)
            results = [found[number] for number in range(len(tried))]
            report = WritingReport(title, results, _settings(workspace, options), [], seed=options.seed)
            run.status = RunStatus.GAPS if report.failures else RunStatus.DONE
        view.finish(run.id, run.usage)
    return report


class _Trials:
    """Texts, a few at a time."""

    def __init__(self, workspace: Workspace, run: OpenRun, options: WritingOptions, *, since: datetime | None) -> None:
        self._workspace = workspace
        self._since = since
        self._run = run
        self._options = options
        self._done = 0

    async def tried(self, system: str, prompt: WritingPrompt) -> WritingResult:
        """What a system writes for a prompt, measured."""
        tally = _Tally()
        started = time.monotonic()
        text = await self._written(system, prompt, tally)
        seconds = time.monotonic() - started
        result = replace(
            _measured(system, prompt, text),
            calls=tally.calls,
            prompt_tokens=tally.prompt_tokens,
            completion_tokens=tally.completion_tokens,
            seconds=seconds,
        )
        if self._options.judge and text.failure is None and text.text:
            result = await self._judged(result, prompt, text.text)
        self._done += 1
        self._run.emit(NodeDone(f"{self._run.id}.{self._done}", 0, prompt.id, gap=text.failure is not None))
        return result

    async def _written(self, system: str, prompt: WritingPrompt, tally: _Tally) -> _Text:
        write = self._own if system in {LONGDOC, PARALLEL} else self._published
        try:
            return await write(system, prompt, tally)
        except LdaError as error:
            if error.resumable or isinstance(error, ConfigError):
                raise
            return _Text("", failure=str(error))

    async def _own(self, system: str, prompt: WritingPrompt, tally: _Tally) -> _Text:
        options = DraftOptions(parallel=system == PARALLEL, seed=self._options.seed)
        draft = await new_draft(self._workspace, self._name(prompt, options), prompt.prompt, options)
        result = await write_draft(self._workspace, draft, fresh=self._since is not None, emit=self._run.emit)
        taken = await self._workspace.records.ledger.taken_by(result.run_id)
        tally.calls, tally.prompt_tokens = taken.calls, taken.usage.prompt_tokens
        tally.completion_tokens = taken.usage.completion_tokens
        return _draft_text(result)

    def _name(self, prompt: WritingPrompt, options: DraftOptions) -> str:
        """Another name for whatever makes another text: model, version and prompts of longdoc, a fresh start."""
        made_by: list[JsonValue] = [
            self._workspace.engine.info.identity,
            version("longdoc"),
            [versions(f"write/{name}")[-1] for name in _TEMPLATES],
            prompt.id,
            None if self._since is None else self._since.isoformat(),
        ]
        return DRAFT_PREFIX + draft_name(prompt.prompt, [options.settings(()), *made_by])

    async def _published(self, system: str, prompt: WritingPrompt, tally: _Tally) -> _Text:
        writer = PublishedWriter(self._run.engine, emit=tally.over(self._run.emit), seed=self._options.seed)
        instruction = Quoted(prompt.prompt, {"prompt": prompt.id})
        if system == ONE_CALL:
            found: PublishedText = await writer.in_one_call(instruction)
        else:
            found = await writer.by_plan(instruction, parallel=system == AGENTWRITE_PARALLEL)
        return _Text(found.text, found.sections)

    async def _judged(self, result: WritingResult, prompt: WritingPrompt, text: str) -> WritingResult:
        judge = WritingJudge(self._run.engine, counter_of(self._workspace.engine), emit=self._run.emit)
        quality = await judge.judge(
            Quoted(prompt.prompt, {"prompt": prompt.id}),
            Quoted(text, {"text": _digest(text)}),
            times=self._options.judge,
            seed=self._options.seed,
        )
        return replace(
            result,
            quality=quality.score,
            judge_spread=quality.spread,
            failed_judgements=len(quality.failed),
            in_excerpts=quality.in_excerpts,
        )


def _draft_text(result: DraftResult) -> _Text:
    """A draft as its sections; one that lacks some is written, but not to the end."""
    sections = result.draft.plan.sections
    texts = [result.texts[one.id].text if one.id in result.texts else "" for one in sections]
    failure = f"{len(result.failed)} of {len(sections)} sections could not be written" if result.failed else None
    return _Text(
        "\n\n".join(filter(None, texts)),
        texts,
        [f"{one.heading}. {one.main_point}".strip(" .") for one in sections],
        [result.texts[one.id].asked if one.id in result.texts else one.words for one in sections],
        failure,
    )


def _measured(system: str, prompt: WritingPrompt, text: _Text) -> WritingResult:
    several = len(text.sections) > 1
    planned = several and len(text.points) == len(text.sections)
    return WritingResult(
        system,
        prompt.id,
        prompt.kind,
        None if prompt.at_least else prompt.asked,
        benchmark_words(text.text),
        count_words(text.text),
        text.failure,
        repetition=repeated_four_grams(text.text) if text.text else None,
        repetition_across=repeated_four_grams_across(text.sections) if several else None,
        near_duplicates=near_duplicate_sentences(text.sections).rate if several else None,
        coverage=plan_coverage(text.points, text.sections).rate if planned else None,
        in_tolerance=_in_tolerance(text) if planned else None,
    )


def _in_tolerance(text: _Text) -> float | None:
    return sections_in_tolerance(text.budgets, [count_words(section) for section in text.sections]).rate


def _settings(workspace: Workspace, options: WritingOptions) -> Mapping[str, str]:
    info = workspace.engine.info
    judge = f"{info.model}, {options.judge} times" if options.judge else "none"
    return {"model": info.identity, "judge": judge, "seed": str(options.seed)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
