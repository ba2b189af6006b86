"""The orchestrator: takes an instruction with whatever it is about, plans what is to be done, and has it done.

Rules plan first, the model only where they do not decide. A plan is kept with its run, each step is done by its
capability in a run of its own, and all calls are in the ledger: the same request again goes on where it was.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from longdoc.agents.events import Emit, NodeDone, Planned, Warned
from longdoc.agents.question_tail import question_tail
from longdoc.agents.routing import Capability, Route
from longdoc.app.bootstrap import Workspace
from longdoc.app.pipelines import stops_all
from longdoc.app.runs import OpenRun, open_run
from longdoc.app.shelf import shelf_of_collection
from longdoc.app.work_call import room_for_documents
from longdoc.app.work_person import find_person, owner_of, person_for
from longdoc.app.work_plan import DoRequest, WorkPlan, WorkStep, plan_text, read_plan
from longdoc.app.work_planning import Planner
from longdoc.app.work_results import DoResult, StepResult, added
from longdoc.app.work_steps import StepWork
from longdoc.documents.readers import read_pasted
from longdoc.engines.engine import TextSink
from longdoc.errors import LdaError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.nodes import Node, NodeStatus
from longdoc.storage.profile_types import Profile
from longdoc.storage.runs import RunRequest, RunStatus, run_id_for

__all__ = [
    "Capability",
    "DoRequest",
    "DoResult",
    "Route",
    "StepResult",
    "WorkPlan",
    "WorkStep",
    "carry_out",
    "do",
    "plan_without_calls",
    "plan_work",
]

_PASTED = "the text.txt"
"""The source of a text that stood before what is asked."""
_MOST_TURNS = 10_000
"""Turns of a session whose runs are looked through for the one that is not finished."""


async def plan_work(workspace: Workspace, request: DoRequest, *, fresh: bool = False, emit: Emit) -> WorkPlan:
    """The plan of a request: the one that was made of it before, else one by rules, else the model's.

    An instruction that is longer than the window is taken for a text with what is asked at its end. Raises
    `ConfigError` for what cannot be done, `NotFoundError` for an unknown collection, and what the engine raises.
    """
    asked = await _Asked.of(workspace, _with_text_apart(workspace, request))
    kept = None if fresh else await asked.kept_plan()
    if kept is not None:
        return kept
    planner = Planner(workspace, asked.collected)
    plan = planner.by_rules(asked.request)
    if plan is not None:
        return plan
    async with asked.opened(fresh=fresh, emit=emit) as run:
        plan = await planner.by_model(asked.request, run.engine, emit=run.emit)
        await asked.keep(plan)
        run.status = RunStatus.STOPPED  # what was planned is still to be done
    return replace(plan, usage=run.usage)


async def plan_without_calls(workspace: Workspace, request: DoRequest, *, fresh: bool = False) -> WorkPlan | None:
    """The plan of a request that was made before, else the one by rules; None where the model would be asked.

    Raises as `plan_work`, but for what the engine raises.
    """
    asked = await _Asked.of(workspace, _with_text_apart(workspace, request))
    kept = None if fresh else await asked.kept_plan()
    return kept or Planner(workspace, asked.collected).by_rules(asked.request)


async def carry_out(
    workspace: Workspace, plan: WorkPlan, *, fresh: bool = False, emit: Emit, on_text: TextSink | None = None
) -> DoResult:
    """Do what was planned, step by step; what is recorded is not asked again.

    A step that fails is told in the result, and later steps that do not need it go on. Raises what stops everything (a
    spent budget, an engine that is lost, a refused key), after which the same request goes on from here, and what the
    first step raised where none came to anything.
    """
    asked = await _Asked.of(workspace, plan.request)
    async with asked.opened(fresh=fresh, emit=emit) as run:
        await asked.keep(plan)
        await workspace.records.nodes.keep_first(run.id, len(plan.steps) + 1)
        carrying = _CarryingOut(asked, plan, run, on_text=on_text)
        steps = await carrying.steps()
        result = DoResult(plan, steps, run.id, added(plan.usage, run.usage))
        run.status = RunStatus.GAPS if result.gaps else RunStatus.DONE
        run.result_node = f"{run.id}.{result.shown[-1].number}"
    return result


async def do(
    workspace: Workspace, request: DoRequest, *, fresh: bool = False, emit: Emit, on_text: TextSink | None = None
) -> DoResult:
    """Plan a request and carry it out. Raises as `plan_work` and `carry_out`."""
    plan = await plan_work(workspace, request, fresh=fresh, emit=emit)
    return await carry_out(workspace, plan, fresh=fresh, emit=emit, on_text=on_text)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with what it is known by: its run, and the user it is done for, whom runs of `claimed` go with."""

    workspace: Workspace
    claimed: Workspace
    request: DoRequest
    run: RunRequest
    profile: Profile | None
    collected: float
    turn: int

    @classmethod
    async def of(cls, workspace: Workspace, request: DoRequest) -> _Asked:
        """Look up what a request names."""
        parameters: dict[str, JsonValue] = {"instruction": request.instruction}
        collected = 0.0
        if request.collection is not None:
            shelf = await shelf_of_collection(workspace.records, request.collection)
            collected = shelf.tokens
            parameters |= {"collection": request.collection, "members": list(shelf.ids)}
        profile = await find_person(workspace, request)
        said: list[JsonValue] = [[turn.question, turn.answer] for turn in request.turns]
        given: dict[str, JsonValue] = {
            "session": request.session,
            "user": request.user,
            "tenant": None if request.user is None else request.tenant,
            "turns": said or None,
            "as": None if request.capability is None else str(request.capability),
            "words": request.words,
        }
        parameters |= {name: value for name, value in given.items() if value is not None}
        run = RunRequest(
            kind="do",
            title=request.instruction[:200],
            document_ids=tuple(dict.fromkeys(one.id for one in request.documents)),
            parameters=parameters,
            model=workspace.engine.info.identity,
        )
        turn = 0 if request.session is None else await _turn(workspace, run)
        if turn:
            run = replace(run, parameters={**parameters, "turn": turn})
        claimed = workspace if profile is None else replace(workspace, claim=owner_of(workspace, profile))
        return cls(workspace, claimed, request, run, profile, collected, turn)

    @asynccontextmanager
    async def opened(self, *, fresh: bool, emit: Emit) -> AsyncGenerator[OpenRun, None]:
        """Open the run, once the documents are stored; it is claimed for the user."""
        for document in self.request.documents:
            await self.workspace.records.documents.save(document)
        async with open_run(self.claimed, self.run, fresh=fresh, emit=emit) as run:
            yield run

    async def keep(self, plan: WorkPlan) -> None:
        """Keep a plan in the run, and with it the text that was pasted: it goes with the user."""
        node = Node(f"{self.run_id}.0", self.run_id, 0, 1, "the plan", plan_text(plan), document_id=self.pasted)
        await self.workspace.records.nodes.save(node)

    @property
    def pasted(self) -> str | None:
        """The document that was made of the user's own words."""
        first = self.request.documents[:1] if self.profile is not None else ()
        return next((one.id for one in first if one.source == _PASTED), None)

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return run_id_for(self.run.kind, self.run.document_ids, self.run.parameters, self.run.model)

    async def kept_plan(self) -> WorkPlan | None:
        """The plan that was made before."""
        with suppress(NotFoundError):
            return read_plan(self.request, (await self.workspace.records.nodes.get(f"{self.run_id}.0")).text)
        return None


async def _turn(workspace: Workspace, run: RunRequest) -> int:
    """Which time it is that this is said in a session: a run that is not finished is gone on with."""
    for turn in range(_MOST_TURNS):
        parameters = {**run.parameters, "turn": turn} if turn else run.parameters
        try:
            found = await workspace.records.runs.get(run_id_for(run.kind, run.document_ids, parameters, run.model))
        except NotFoundError:
            return turn
        if not found.status.finished:
            return turn
    return _MOST_TURNS


class _CarryingOut:
    """The steps of a plan on their way."""

    def __init__(self, asked: _Asked, plan: WorkPlan, run: OpenRun, *, on_text: TextSink | None) -> None:
        self._asked = asked
        self._plan = plan
        self._run = run
        self._on_text = on_text
        self._done: dict[int, StepResult] = {}
        self._errors: list[LdaError] = []

    async def steps(self) -> tuple[StepResult, ...]:
        """What came of each step, in order."""
        asked = self._asked
        work = StepWork(
            asked.workspace,
            asked.claimed,
            self._plan,
            self._run.id,
            self._run.emit,
            self._on_text if len(self._plan.steps) == 1 else None,
            fresh_since=(await asked.workspace.records.runs.get(self._run.id)).fresh_since,
            pasted=frozenset(filter(None, [asked.pasted])),
        )
        for step in self._plan.steps:
            described = f"step {step.number} of {len(self._plan.steps)}, {step.route.capability}: {step.route.reason}"
            self._run.emit(Planned(1, described))
            self._done[step.number] = await self._step(work, step)
            await self._store(step, await work.own_text(step, self._done))
        if len(self._errors) == len(self._plan.steps):
            raise self._errors[0]
        return tuple(self._done[step.number] for step in self._plan.steps)

    async def _step(self, work: StepWork, step: WorkStep) -> StepResult:
        asked = self._asked
        try:
            person = await person_for(
                asked.workspace, asked.request, asked.profile, step.route.capability, step.instruction
            )
            return await work.do(step, self._done, person)
        except LdaError as error:
            if stops_all(error) or len(self._plan.steps) == 1:
                raise
            self._errors.append(error)
            self._run.emit(Warned(f"step {step.number} came to nothing: {error}"))
            return StepResult(step.number, step.instruction, step.route, failure=str(error))

    async def _store(self, step: WorkStep, text: str | None) -> None:
        """Keep a step as a node of the run, with the document of its text that goes with the user."""
        result = self._done[step.number]
        status = NodeStatus.GAP if result.failure else NodeStatus.DONE
        node = Node(
            f"{self._run.id}.{step.number}",
            self._run.id,
            step.number,
            0,
            step.instruction[:200],
            result.text,
            status,
            reason=result.failure or f"{step.route.capability}, run {result.run_id}",
            document_id=text,
        )
        earlier = [f"{self._run.id}.{number}" for number in step.steps]
        await self._asked.workspace.records.nodes.save(node, children=earlier)
        self._run.emit(NodeDone(node.id, 0, node.title, gap=bool(result.failure)))


def _with_text_apart(workspace: Workspace, request: DoRequest) -> DoRequest:
    """A request whose instruction fits a call: of a long one the text before what is asked becomes a document."""
    text = request.instruction
    if request.collection is not None or room_for_documents(workspace.engine.info, text) > 0:
        return request
    start = question_tail(text)
    before, asked = text[:start].strip(), text[start:].strip()
    if not before or not asked:
        return request
    document = read_pasted(before, name=_PASTED)
    return replace(request, instruction=asked, documents=(document, *request.documents))
