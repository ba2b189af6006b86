"""Comparing what of a user stands before a request: nothing, items, the summary, both, at the same budget of tokens.

The users of an evaluation are those of a tenant of its own, imported once, their summaries made by a refresh like
anybody's. Every answer is one of `answer_for`, so what is measured is what users get. Stopped, it goes on where it was:
users that are there are not imported again, summaries that are current not made again, calls answered from the ledger.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from longdoc.agents.events import CallFinished, Event, NodeDone, Planned
from longdoc.agents.graph import run_graph
from longdoc.agents.profile_context import MOST_ITEMS, USUAL_ITEMS
from longdoc.agents.profile_summary import needs_model, number_in
from longdoc.agents.profile_tasks import OutputKind, ProfileTask
from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.app.personalize import (
    NEEDS_EMBEDDER,
    SMALLEST_BUDGET,
    PersonalRequest,
    answer_for,
    embed_items,
    usual_budget,
)
from longdoc.app.profile_refresh import RefreshOptions, RefreshReport, refresh
from longdoc.app.runs import OpenRun, open_run
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, LdaError
from longdoc.evaluation.lamp_report import NO_PROFILE, LampPart, LampReport, LampResult
from longdoc.evaluation.lamp_set import LampQuestion, LampSet, LampUser, by_user, without_targets
from longdoc.memory.profile_ranking import Ranked
from longdoc.storage.profile_types import Item, NewItem, Profile, Tenant
from longdoc.storage.runs import RunRequest, RunStatus

TENANT_PREFIX: Final = "eval/"
"""What the names of tenants begin with that an evaluation made."""
COUNTED: Final = "majority or median"
"""The system that answers by what is commonest, or in the middle, of the user's items, without a model."""
_KEPT = timedelta(days=30)
"""So long the users of an evaluation are there to go on with; the next evaluation after that deletes them."""
_AT_ONCE = 256
_ITEMS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class LampOptions:
    """What is tried: numbers of items (`takes`), with and without a summary, chosen by `ranked` within `budget` tokens
    (None: the usual). `near`: near-duplicates of what is asked are taken out of profiles. `seed` is that of intervals
    and of the random choice. Raises `ConfigError`.
    """

    takes: tuple[int, ...] = (0, 1, 2, 4)
    summaries: bool = True
    ranked: Ranked = Ranked.WORDS
    budget: int | None = None
    near: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = [take for take in self.takes if not 0 <= take <= MOST_ITEMS]
        if wrong or not self.takes:
            raise ConfigError(f"0 to {MOST_ITEMS} items can be taken" + (f", not {wrong[0]}" if wrong else ""))
        if len(set(self.takes)) < len(self.takes):
            raise ConfigError("a number of items is named twice")
        if self.budget is not None and self.budget < SMALLEST_BUDGET:
            raise ConfigError(f"a budget is of {SMALLEST_BUDGET} tokens or more, not {self.budget}")

    @property
    def systems(self) -> list[LampSystem]:
        """What is compared, no profile first."""
        takes = sorted({*self.takes} - {0})
        most = takes[-1:]
        by = self.ranked
        items = [LampSystem(f"{by.value}, k={take}", take, by) for take in takes]
        others = [Ranked.NEWEST, Ranked.RANDOM]
        plain = [LampSystem(f"{one.value}, k={take}", take, one) for one in others if one is not by for take in most]
        said = [LampSystem(_summary_name(take), take, by, summary=True) for take in sorted(self.takes)]
        return [LampSystem(NO_PROFILE, 0, by), *plain, *items, *(said if self.summaries else [])]

    @property
    def compared(self) -> tuple[str, str] | None:
        """The summary with one item and the most items without it, where both are tried."""
        most = max(self.takes)
        if not self.summaries or 1 not in self.takes or most <= 1:
            return None
        return _summary_name(1), f"{self.ranked.value}, k={most}"


@dataclass(frozen=True, slots=True)
class LampSystem:
    """One way of putting a user before a request."""

    name: str
    take: int
    ranked: Ranked
    summary: bool = False


@dataclass(slots=True)
class _Tally:
    """Tokens of the prompts of one request, whoever answered."""

    prompt_tokens: int = 0

    def over(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """Events, counted on their way."""

        def hear(event: Event) -> None:
            if isinstance(event, CallFinished):
                self.prompt_tokens += event.completion.usage.prompt_tokens
            emit(event)

        return hear


@dataclass(slots=True)
class _Import:
    """The users of a set, stored: by name, and what is not theirs any more."""

    tenant: Tenant
    profiles: dict[str, Profile]
    targets: int = 0
    near: int = 0
    unread: int = 0


async def evaluate_profiles(
    workspace: Workspace, sets: Sequence[LampSet], options: LampOptions, *, fresh: bool = False, watch: Watch
) -> LampReport:
    """Have every system answer every question of every set. What fails for one is in the report, as an answer that
    cannot be read.

    Raises what a later run may overcome, `ConfigError`, and `DocumentError` for files that cannot be read.
    """
    if not any(one.questions for one in sets):
        raise ConfigError("there are no questions")
    questions = sum(len(one.questions) for one in sets)
    title = f"{questions:,} questions about users, {', '.join(one.name for one in sets)}"
    kept = [_tenant_name(workspace, one, options) for one in sets]
    old = datetime.now(UTC) - _KEPT
    await workspace.records.profiles.forget_tenants(TENANT_PREFIX, before=old, kept=kept)
    imports: list[_Import] = []
    remarks: list[str] = []
    for one in sets:
        found = await _import(workspace, one, options)
        imports.append(found)
        if options.summaries:
            remarks += await _summarize(workspace, one, found, watch)
    parts: list[LampPart] = []
    with watch(title) as view:
        async with open_run(workspace, _request(workspace, title, sets, options), fresh=fresh, emit=view.emit) as run:
            systems = options.systems
            run.emit(Planned(questions * len(systems), f"{questions:,} questions, {len(systems)} systems"))
            for one, found in zip(sets, imports, strict=True):
                results = await _Trials(workspace, run, one, found, options).results()
                parts.append(_part(one, found, results, options))
            settings = _settings(workspace, options)
            report = LampReport(title, parts, settings, [*_remarks(parts, options), *remarks], options.compared)
            run.status = RunStatus.GAPS if report.failures else RunStatus.DONE
        view.finish(run.id, run.usage)
    return report


class _Trials:
    """The questions of one set, many at once."""

    def __init__(
        self, workspace: Workspace, run: OpenRun, questions: LampSet, stored: _Import, options: LampOptions
    ) -> None:
        self._workspace = workspace
        self._profiles = workspace.records.profiles
        self._run = run
        self._set = questions
        self._stored = stored
        self._options = options
        self._known: dict[str, int] = {}
        self._embedder: Embedder | None = None

    async def results(self) -> list[LampResult]:
        """What each system answers, and what counting says where the task has something that is counted."""
        for profile in self._stored.profiles.values():
            await self._profiles.owns(profile, self._run.id)
        if self._options.ranked in NEEDS_EMBEDDER:
            self._embedder = await self._workspace.embedder.opened()
            await self._embed(self._embedder)
        counted: list[LampResult] = []
        for question in self._set.questions:
            items = await self._items(question)
            self._known[question.id] = len(items)
            if not needs_model(self._set.task):
                counted.append(self._counted(question, items))
        tried = [(system, question) for system in self._options.systems for question in self._set.questions]
        found: dict[int, LampResult] = {}

        async def answer(place: int) -> None:
            found[place] = await self._answered(*tried[place])

        await run_graph([()] * len(tried), answer, at_once=_AT_ONCE)
        return [*(found[place] for place in range(len(tried))), *counted]

    async def _embed(self, embedder: Embedder) -> None:
        """Make the vectors of all items first, so that no two requests make the same ones."""
        for profile in self._stored.profiles.values():
            items = await self._profiles.items(profile, task=self._set.task.name)
            await embed_items(self._workspace.records, profile, self._set.task, items, embedder)

    async def _items(self, question: LampQuestion) -> list[Item]:
        """The items that a question may be answered by."""
        profile = self._stored.profiles[question.user]
        return await self._profiles.items(profile, task=self._set.task.name, before=question.at)

    def _counted(self, question: LampQuestion, items: Sequence[Item]) -> LampResult:
        return LampResult(
            COUNTED,
            question.id,
            question.user,
            question.gold,
            counted_answer(self._set.task, [item.output for item in items if item.output]),
            known=len(items),
        )

    async def _answered(self, system: LampSystem, question: LampQuestion) -> LampResult:
        tally, failure = _Tally(), None
        run = replace(self._run, emit=tally.over(self._run.emit))
        result = LampResult(
            system.name, question.id, question.user, question.gold, None, known=self._known[question.id]
        )
        try:
            result = await self._asked(run, system, question, result)
        except LdaError as error:
            if error.resumable or isinstance(error, ConfigError):
                raise
            failure = str(error)
        name = f"{self._run.id}.{self._set.name}.{question.id}"
        self._run.emit(NodeDone(name, 0, question.id, gap=failure is not None))
        return replace(result, failure=failure, prompt_tokens=tally.prompt_tokens)

    async def _asked(self, run: OpenRun, system: LampSystem, question: LampQuestion, result: LampResult) -> LampResult:
        alone = system.summary and result.cold  # without a summary there are items, as anybody's reply has them
        request = PersonalRequest(
            self._set.task,
            question.text,
            take=max(system.take, USUAL_ITEMS) if alone else system.take,
            summary=system.summary,
            ranked=system.ranked,
            budget=self._options.budget,
            before=question.at,
            seed=self._options.seed,
            searched=question.searched,
        )
        profile = None if system.name == NO_PROFILE else self._stored.profiles[question.user]
        found = await answer_for(self._workspace.records, run, profile, request, embedder=self._embedder)
        return replace(
            result,
            output=found.answer.output,
            shown=len(found.context.items),
            left_out=len(found.context.left_out),
            summary=bool(found.context.summary),
            input_cut=found.input_cut,
            context_tokens=found.context.tokens,
        )


def counted_answer(task: ProfileTask, outputs: Sequence[str]) -> str:
    """The commonest label, or the median of numbers; without any, the first label that is listed, or the middle of the
    scale. Of labels that are as common the one that was given last."""
    if task.output is OutputKind.NUMBER:
        numbers = [number for output in outputs if (number := number_in(output)) is not None]
        return f"{median(numbers) if numbers else (task.lowest + task.highest) / 2:g}"
    given = [output.strip() for output in outputs]
    if not given:
        return task.labels[0] if task.labels else ""
    counts, last = Counter(given), {label: place for place, label in enumerate(given)}
    return max(last, key=lambda label: (counts[label], last[label]))


async def _import(workspace: Workspace, questions: LampSet, options: LampOptions) -> _Import:
    """The users that are asked for, stored; those that are there are left as they are."""
    profiles = workspace.records.profiles
    tenant = await profiles.tenant(_tenant_name(workspace, questions, options))
    asked = by_user(questions.questions)
    found = _Import(tenant, {})
    waiting: list[tuple[str, NewItem]] = []
    for user in questions.users():
        if user.name not in asked:
            continue
        items = _kept(user, asked[user.name], options, found)
        if items and await profiles.find(tenant.id, user.name) is None:
            waiting += [(user.name, item) for item in items]
        elif not items:
            await profiles.open(tenant.id, user.name)
        if len(waiting) >= _ITEMS_AT_ONCE:
            await profiles.put(tenant.id, waiting)
            waiting = []
    if waiting:
        await profiles.put(tenant.id, waiting)
    for name in asked:
        found.profiles[name] = await profiles.get(tenant.id, name)
    return found


def _kept(user: LampUser, questions: Sequence[LampQuestion], options: LampOptions, found: _Import) -> Sequence[NewItem]:
    kept = without_targets(user, questions, near=options.near)
    found.targets += kept.targets
    found.near += kept.near
    found.unread += user.unread
    return kept.items


def _tenant_name(workspace: Workspace, questions: LampSet, options: LampOptions) -> str:
    """Another name for other users, and for another model, which makes other summaries."""
    made_of = f"{questions.digest} {questions.task.name} {options.near} {workspace.engine.info.identity}"
    return TENANT_PREFIX + hashlib.sha256(made_of.encode()).hexdigest()[:16]


async def _summarize(workspace: Workspace, questions: LampSet, stored: _Import, watch: Watch) -> list[str]:
    """Make the summaries that are missing; what is to be said of it."""
    task = questions.task
    with watch(f"Summaries of {questions.name}") as view:
        report: RefreshReport = await refresh(
            workspace, stored.tenant, {task.name: task}, RefreshOptions(tasks=(task.name,)), emit=view.emit
        )
    failed = [f"no summary of {name} could be made: {why}" for name, why in list(report.failed.items())[:5]]
    return [*failed, *([f"{len(report.failed) - 5} more failed"] if len(report.failed) > 5 else [])]


def _request(workspace: Workspace, title: str, sets: Sequence[LampSet], options: LampOptions) -> RunRequest:
    return RunRequest(
        kind="eval lamp",
        title=title,
        document_ids=(),
        parameters={
            "sets": [one.digest for one in sets],
            "tasks": [one.task.name for one in sets],
            "systems": [system.name for system in options.systems],
            "budget": options.budget,
            "near": options.near,
            "seed": options.seed,
        },
        model=workspace.engine.info.identity,
    )


def _part(questions: LampSet, stored: _Import, results: Sequence[LampResult], options: LampOptions) -> LampPart:
    return LampPart(
        questions.name,
        questions.task,
        results,
        users=len(stored.profiles),
        removed_targets=stored.targets,
        removed_near=stored.near,
        unread=stored.unread,
        remarks=questions.remarks,
        seed=options.seed,
    )


def _settings(workspace: Workspace, options: LampOptions) -> Mapping[str, str]:
    info = workspace.engine.info
    return {
        "model": f"{info.identity}{', a toy' if info.toy else ''}",
        "items by": options.ranked.value,
        "budget": f"{options.budget or usual_budget(workspace.engine):,} tokens for every system",
        "summaries": "by the same model, or counted" if options.summaries else "none",
        "seed": str(options.seed),
    }


def _remarks(parts: Sequence[LampPart], options: LampOptions) -> list[str]:
    return [
        remark
        for part in parts
        for remark in (
            *(f"{part.name}: {one}" for one in part.remarks),
            *(
                [f"{part.name}: {part.removed_targets} items were the target of a question"]
                * bool(part.removed_targets)
            ),
            *([f"{part.name}: {part.removed_near} near-duplicates of targets were taken out"] * options.near),
            *([f"{part.name}: {part.unread} items had nothing to be read"] * bool(part.unread)),
        )
    ]


def _summary_name(take: int) -> str:
    return f"summary, k={take}" if take else "summary"
