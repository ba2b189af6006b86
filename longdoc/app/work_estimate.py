"""What a plan takes, worked out before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from longdoc.agents.request_words import claims_of
from longdoc.agents.routing import Capability
from longdoc.app.ask import estimate_ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.check import estimate_checks
from longdoc.app.draft_estimate import estimate_draft
from longdoc.app.draft_settings import DraftOptions
from longdoc.app.finding import AskOptions
from longdoc.app.shelf import Shelf, shelf_of, shelf_of_collection
from longdoc.app.summaries import SummaryOptions
from longdoc.app.summaries import estimate as estimate_summary
from longdoc.app.work_plan import WorkPlan, WorkStep
from longdoc.documents.document import Document
from longdoc.documents.tokens import estimate_tokens

_ANSWER_TOKENS = 500


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """About what a step takes, at most, where every call is answered well at the first attempt."""

    calls: int
    prompt_tokens: int
    completion_tokens: int


async def estimate_work(workspace: Workspace, plan: WorkPlan) -> list[StepEstimate | None]:
    """What each step of a plan takes; None where that depends on what earlier steps give. Spends nothing.

    Raises as the estimates of the capabilities do.
    """
    return [await _estimate(workspace, plan, step) for step in plan.steps]


async def _estimate(workspace: Workspace, plan: WorkPlan, step: WorkStep) -> StepEstimate | None:
    documents = [one for one in plan.request.documents if one.id in step.documents]
    if step.steps and step.route.capability is not Capability.WRITE:
        return None
    match step.route.capability:
        case Capability.SUMMARIZE:
            return await _summaries(workspace, plan, step, documents)
        case Capability.WRITE:
            options = DraftOptions(words=step.route.words, chapters=step.route.chapters)
            grounded = bool(documents or step.steps or step.collection)
            draft = estimate_draft(workspace.engine.info, step.instruction, options, grounded=grounded)
            if draft.words is None:
                return None
            return StepEstimate(draft.calls, draft.prompt_tokens, draft.completion_tokens)
        case Capability.ASK | Capability.CHECK:
            with closing(await _shelf(workspace, plan, documents)) as shelf:
                if step.route.capability is Capability.ASK:
                    found = await estimate_ask(workspace, shelf, step.instruction, AskOptions())
                else:
                    found = await estimate_checks(workspace, shelf, claims_of(step.instruction), AskOptions())
            return StepEstimate(found.calls, found.prompt_tokens, found.completion_tokens)
        case Capability.CALL | Capability.CHAT:
            read = estimate_tokens(step.instruction) + sum(estimate_tokens(one.text) for one in documents)
            return StepEstimate(1, round(read), _ANSWER_TOKENS)


async def _summaries(
    workspace: Workspace, plan: WorkPlan, step: WorkStep, documents: Sequence[Document]
) -> StepEstimate:
    if step.collection and plan.request.collection is not None:
        documents = await (await shelf_of_collection(workspace.records, plan.request.collection)).all()
    options = SummaryOptions(words=step.route.words, by_chapter=False)
    found = [(await estimate_summary(workspace, one, options))[1] for one in documents]
    return StepEstimate(
        sum(one.calls for one in found),
        sum(one.prompt_tokens for one in found),
        sum(one.completion_tokens for one in found),
    )


async def _shelf(workspace: Workspace, plan: WorkPlan, documents: Sequence[Document]) -> Shelf:
    if plan.request.collection is not None:
        return await shelf_of_collection(workspace.records, plan.request.collection)
    return await shelf_of(workspace.records, documents)
