"""What is done for users: summaries made offline, and requests with summary and items before them.

Source: "Integrating Summarization and Retrieval for Enhanced Personalization via Large Language Models" (Richardson and
others, 2023, arXiv 2310.20081), whose two halves these are.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from longdoc.agents.events import Emit
from longdoc.agents.personalizer import PersonalAnswer, Personalizer
from longdoc.agents.profile_context import (
    INPUT_SHARE,
    MOST_ITEMS,
    Count,
    ProfileContext,
    build_context,
    cut_input,
    joined_labels,
    own_labels,
)
from longdoc.agents.profile_summary import COUNTED, summary_prompt
from longdoc.agents.profile_tasks import ProfileTask
from longdoc.app.bootstrap import Records, Workspace
from longdoc.app.results import Shown, Source
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.embedder import Embedder
from longdoc.engines.engine import Engine, TextSink
from longdoc.errors import ConfigError
from longdoc.memory.profile_ranking import Ranked, at_random, by_meaning, by_words, fused, newest, searched_text
from longdoc.storage.profile_types import Item, Profile, ProfileSummary, TaskState, Tenant
from longdoc.storage.runs import RunRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

NEEDS_EMBEDDER: Final = frozenset({Ranked.MEANING, Ranked.FUSED})
USUAL_BUDGET: Final = 2_000
"""Tokens of what stands before a request, or a quarter of the window, whichever is less."""
SMALLEST_BUDGET: Final = 32
_BUDGET_SHARE = 0.25
_MOST_READ = 5_000
"""Items of a user that are looked through for a request: the newest."""
_GROWTH = 0.2
"""Of what a summary has seen: with so many more items it is out of date."""
_TRIES, _RAISED = 4, 1.05
_TEMPLATE_TOKENS = 150
_AT_ONCE = 100_000
"""Characters that are worked on between two other requests: some 5 ms."""


@dataclass(frozen=True, slots=True)
class PersonalRequest:
    """What is asked: the `text` that a task is done with, and how much of the user stands before it.

    That is `take` items (None: four, or one beside a summary), with the `summary` or without, chosen by `ranked`,
    within `budget` tokens (None: 2,000, or a quarter of the window). Items made at or after `before`, and those of the
    keys `without`, are not looked at. `whitespace`: words as LaMP's code parts them. `searched` is what items are found
    by, where that is not the text. Raises `ConfigError`.
    """

    task: ProfileTask
    text: str
    take: int | None = None
    summary: bool = True
    ranked: Ranked = Ranked.WORDS
    budget: int | None = None
    before: datetime | None = None
    without: tuple[str, ...] = ()
    seed: int = 0
    whitespace: bool = False
    searched: str | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ConfigError("there is nothing to be done: the input is empty")
        if self.take is not None and not 0 <= self.take <= MOST_ITEMS:
            raise ConfigError(f"0 to {MOST_ITEMS} items can be taken, not {self.take}")
        if self.budget is not None and self.budget < SMALLEST_BUDGET:
            raise ConfigError(f"a budget is of {SMALLEST_BUDGET} tokens or more, not {self.budget}")


@dataclass(frozen=True, slots=True)
class Personalized(Shown):
    """An answer for a user, and what of the user stood before the request; `input_cut`: not all of the input did."""

    answer: PersonalAnswer
    context: ProfileContext
    run_id: str
    input_cut: bool = False
    usage: RunUsage = field(default_factory=RunUsage)

    @property
    def text(self) -> str:
        """The answer in the task's kind, else as the model gave it."""
        return self.answer.text if self.answer.output is None else self.answer.output

    @property
    def sources(self) -> tuple[Source, ...]:
        """None: what of the user stood before the request is `context`."""
        return ()


def open_profile_run(
    workspace: Workspace, profile: Profile, *, interactive: bool, emit: Emit
) -> AbstractAsyncContextManager[OpenRun]:
    """Open the run that calls for a user are recorded in, as long as neither user nor items are deleted meanwhile; each
    state of the items has one of its own. What is shown of it holds no text of the user's."""
    request = RunRequest(
        kind="profile",
        title=f"profile {profile.id}",
        document_ids=(),
        parameters={"profile": profile.id, "changes": profile.changes},
        model=workspace.engine.info.identity,
    )
    return open_run(workspace, request, fresh=False, interactive=interactive, bound=True, emit=emit)


async def personal_context(
    records: Records,
    profile: Profile | None,
    request: PersonalRequest,
    *,
    embedder: Embedder | None = None,
    engine: Engine | None = None,
) -> ProfileContext:
    """What of a user stands before a request, within a budget of tokens: those of the engine where it has a tokenizer,
    else estimated ones. A user that is not there, or not enabled, has nothing.

    Raises `ConfigError` where items are to be found by meaning without an embedder, and what the embedder raises.
    """
    if profile is None or not profile.enabled:
        return ProfileContext(reason="there is no such user" if profile is None else "personalization is off")
    task, budget = request.task, budget_of(request, engine)
    known, state = await records.profiles.known(profile, task.name, newest=_MOST_READ, before=request.before)
    items = [item for item in known if item.key not in request.without] if request.without else known
    if state is not None and not items:
        return ProfileContext(reason="all that is known of the user is left out, as asked")
    summary, unsaid = await _said(records, profile, request, state)
    ranked = await _ranked(records, profile, request, items, embedder)
    stale = summary is not None and state is not None and state_is_stale(task, state)
    labels = own_labels(task, items)

    def build(count: Count) -> ProfileContext:
        return build_context(
            task,
            ranked,
            summary,
            known=len(items),
            take=request.take,
            budget=budget,
            count=count,
            stale=stale,
            labels=labels,
            unsaid=unsaid,
        )

    return await _fitted(build, budget, engine, characters=sum(item.characters for item in ranked[:MOST_ITEMS]))


async def personalize(
    workspace: Workspace,
    tenant: Tenant,
    user: str,
    request: PersonalRequest,
    *,
    emit: Emit,
    on_text: TextSink | None = None,
    make: bool = True,
) -> Personalized:
    """Answer a request for a user; `on_text` gets pieces of a text as they come. `make`: whether a user of whom nobody
    knew is made.

    Raises what `Engine.complete` raises, `ConfigError` for a name that cannot be a user's, and `NotFoundError` for a
    user that is not there, or is deleted meanwhile.
    """
    profiles = workspace.records.profiles
    profile = await (profiles.open if make else profiles.get)(tenant.id, user)
    async with open_profile_run(workspace, profile, interactive=True, emit=emit) as run:
        await profiles.owns(profile, run.id)
        embedder = workspace.embedder if request.ranked in NEEDS_EMBEDDER else None
        return await answer_for(workspace.records, run, profile, request, embedder=embedder, on_text=on_text)


async def answer_for(
    records: Records,
    run: OpenRun,
    profile: Profile | None,
    request: PersonalRequest,
    *,
    embedder: Embedder | None = None,
    on_text: TextSink | None = None,
) -> Personalized:
    """As `personalize`, in a run that is open."""
    engine = run.engine
    context = await personal_context(records, profile, request, embedder=embedder, engine=engine)
    room = _room(request.task, engine) - budget_of(request, engine)
    most = min(engine.info.context_window // 2, int(room / INPUT_SHARE))
    shown, cut = await _worked(len(request.text), lambda: cut_input(request.text, most, estimated))
    answer = await Personalizer(engine, emit=run.emit).answer(request.task, shown, context, on_text=on_text)
    return Personalized(answer, context, run.id, input_cut=cut, usage=run.usage)


def usual_budget(engine: Engine) -> int:
    """Tokens of what stands before a request, where nobody says."""
    return max(SMALLEST_BUDGET, min(USUAL_BUDGET, int(engine.info.context_window * _BUDGET_SHARE)))


def budget_of(request: PersonalRequest, engine: Engine | None) -> int:
    """Tokens of what stands before a request: what it says, else the usual; on an engine never more than half of what
    its window has beside the answer."""
    if engine is None:
        return request.budget or USUAL_BUDGET
    wanted = request.budget or usual_budget(engine)
    return max(SMALLEST_BUDGET, min(wanted, _room(request.task, engine) // 2))


def estimated(text: str) -> int:
    """Tokens of a text where no tokenizer is at hand."""
    return math.ceil(estimate_tokens(text))


def is_stale(
    task: ProfileTask,
    summary: ProfileSummary,
    *,
    items: int,
    changed: bool,
    edited: bool = False,
    model: str | None = None,
    oldest: timedelta | None = None,
    now: datetime | None = None,
) -> bool:
    """Whether a summary is out of date: a fifth more items than it has seen, an item that it was made from `edited`,
    another prompt or `model`, or made longer ago than `oldest`. What is counted is out of date with any change."""
    if task.summary is None and changed:
        return True
    if edited or items - summary.seen >= max(1, math.ceil(_GROWTH * summary.seen)):
        return True
    if summary.edited:
        return False
    if summary.prompt != summary_prompt(task):
        return True
    if model is not None and summary.model not in (model, COUNTED):
        return True
    return oldest is not None and now is not None and now - summary.made_at > oldest


def state_is_stale(task: ProfileTask, state: TaskState) -> bool:
    """Whether a task's summary is out of date by what is stored, whoever makes the next one."""
    summary = state.summary
    changed = summary is not None and state.last_change > summary.change
    return summary is not None and is_stale(task, summary, items=state.items, changed=changed, edited=state.edited)


async def embed_items(
    records: Records, profile: Profile, task: ProfileTask, items: Sequence[Item], embedder: Embedder
) -> dict[int, list[float]]:
    """The vectors of a user's items; those that have none yet are made and stored."""
    identity = embedder.info.identity
    stored = await records.profiles.vectors(profile, identity, task=task.name)
    missing = [item for item in items if item.number not in stored]
    if missing:
        import numpy as np

        rows = await embedder.embed([searched_text(item, with_output=task.searches_output) for item in missing])
        packed = [np.asarray(row, "<f2").tobytes() for row in rows]
        new = {item.number: (item.change, one) for item, one in zip(missing, packed, strict=True)}
        await records.profiles.embed(profile, identity, new)
        stored |= {number: vector for number, (_, vector) in new.items()}
    return {number: _vector(stored[number]) for number in (item.number for item in items) if number in stored}


def _room(task: ProfileTask, engine: Engine) -> int:
    """Tokens of a window beside the answer, the template, and what the task says."""
    said = estimated(" ".join((task.request, *task.labels)))
    return engine.info.context_window - task.most_tokens - _TEMPLATE_TOKENS - said


async def _said(
    records: Records, profile: Profile, request: PersonalRequest, state: TaskState | None
) -> tuple[ProfileSummary | None, str]:
    """The summary that stands before a request, and why there is none where it is not for lack of one."""
    summary = None if state is None else state.summary
    if not request.summary:
        both = request.take == 0
        return None, "neither items nor the summary are asked for" if both else "the summary is left out, as asked"
    before, without = request.before, request.without
    if summary is None or (before is None and not without):
        return summary, ""
    if await records.profiles.uses(profile, summary, before=before, without=without):
        return None, "the summary is made from items that are left out"
    return summary, ""


async def _ranked(
    records: Records, profile: Profile, request: PersonalRequest, items: Sequence[Item], embedder: Embedder | None
) -> list[Item]:
    text, with_output = request.searched or request.text, request.task.searches_output
    characters = len(text) + sum(item.characters for item in items)
    match request.ranked:
        case Ranked.NEWEST:
            return newest(items)
        case Ranked.RANDOM:
            return at_random(items, seed=f"{request.seed} {profile.user} {text}")
        case Ranked.WORDS:
            return await _worked(
                characters, lambda: by_words(text, items, with_output=with_output, whitespace=request.whitespace)
            )
        case Ranked.MEANING | Ranked.FUSED:
            if embedder is None:
                raise ConfigError(f"items are found by {request.ranked.value} with an embedder only; use bm25")
            question = (await embedder.embed([text]))[0].tolist()
            vectors = await embed_items(records, profile, request.task, items, embedder)
            if request.ranked is Ranked.MEANING:
                return await asyncio.to_thread(by_meaning, question, items, vectors)
            return await asyncio.to_thread(fused, text, question, items, vectors, with_output=with_output)


async def _worked(characters: int, work: Callable[[], T]) -> T:
    """What some work on texts comes to, done in a thread where it is so much that others would wait for it."""
    return work() if characters <= _AT_ONCE else await asyncio.to_thread(work)


async def _fitted(
    build: Callable[[Count], ProfileContext], budget: int, engine: Engine | None, *, characters: int
) -> ProfileContext:
    """A context within a budget of an engine's own tokens: built by the estimate, which is raised until it fits."""
    if engine is None or not engine.info.exact_tokens:
        return await _worked(characters, lambda: build(estimated))
    ratio = 1.0
    for _ in range(_TRIES):
        count = _scaled(ratio)
        context = await _worked(characters, partial(build, count))
        parts = [context.summary, joined_labels(context.labels), *(one.text for one in context.items)]
        tokens = sum(await engine.count_tokens(parts))
        if tokens <= budget:
            return replace(context, tokens=tokens)
        ratio *= max(_RAISED, tokens / max(1, context.tokens))
    return await _worked(characters, partial(build, _scaled(ratio * 2)))


def _scaled(ratio: float) -> Count:
    return lambda text: math.ceil(estimate_tokens(text) * ratio)


def _vector(packed: bytes) -> list[float]:
    import numpy as np

    row: NDArray[np.float32] = np.frombuffer(packed, "<f2").astype(np.float32)
    return row.tolist()
