"""From a request to its plan: steps by rules where its sentence is clear, by the model otherwise, routes for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from longdoc.agents.events import Emit
from longdoc.agents.request_steps import Steps, StepWords, steps_of
from longdoc.agents.route_choice import PlannedStep, choose_route, plan_by_model
from longdoc.agents.routing import AskedWith, Capability, DecidedBy, Route, route_by_rules
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import AskOptions, Sizes
from longdoc.app.methods import body_tokens, fits_one_call
from longdoc.app.personalize import usual_budget
from longdoc.app.work_call import room_for_documents
from longdoc.app.work_plan import MOST_STEPS, DoRequest, WorkPlan, WorkStep, holds_together
from longdoc.documents.document import Document
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError

_TOKENS_OF_A_STEP = 800
"""About how long the text of a step is that is not there yet."""
_TOKENS_PER_WORD = 1.4


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans requests for an engine. `collected` is about how many tokens the collection has that a request names."""

    workspace: Workspace
    collected: float = 0.0
    _tokens: dict[str, float] = field(default_factory=dict[str, float])

    def by_rules(self, request: DoRequest) -> WorkPlan | None:
        """The plan of a request by rules alone; None where they leave it open."""
        if request.capability is not None:
            return self._as_told(request)
        found = steps_of(request.instruction, _titles(request))
        if not found.clear:
            return None
        return self._of_words(request, found.steps, routes={})

    async def by_model(self, request: DoRequest, engine: Engine, *, emit: Emit) -> WorkPlan:
        """The plan of a request that rules leave open. Raises what `Engine.complete` raises."""
        found = steps_of(request.instruction, _titles(request))
        if not found.clear:
            given = self._given(request, request.documents, ())
            planned = await plan_by_model(
                engine, request.instruction, _titles(request), given, most=MOST_STEPS, emit=emit
            )
            plan = None if planned is None else self._of_model(request, planned)
            if plan is not None:
                return plan
            found = Steps((StepWords(request.instruction.strip(), None),))
        routes: dict[int, Route] = {}
        while (plan := self._of_words(request, found.steps, routes=routes)) is None:
            number = len(routes) + 1
            while number in routes or self._route(request, found.steps, number) is not None:
                number += 1
            step = found.steps[number - 1]
            routes[number] = await choose_route(
                engine, step.text, self._given_step(request, found.steps, number), emit=emit
            )
        return plan

    def _as_told(self, request: DoRequest) -> WorkPlan:
        """The plan of one step, by the capability that the user named. Raises `ConfigError` where it cannot be."""
        capability = request.capability
        assert capability is not None  # noqa: S101 told by the caller
        grounded = bool(request.documents) or request.collection is not None
        if capability in {Capability.ASK, Capability.CHECK, Capability.SUMMARIZE} and not grounded:
            raise ConfigError(f"to {capability}, name a document, or a collection")
        if capability is Capability.CALL and request.collection is not None:
            raise ConfigError("one call reads documents, not a collection; name documents, or leave --as out")
        given = self._given(request, request.documents, ())
        ruled = route_by_rules(request.instruction, given)
        length = Route(capability, "as you said", DecidedBy.USER, words=request.words)
        if ruled is not None:
            length = replace(length, words=ruled.words, chapters=ruled.chapters, by_chapter=ruled.by_chapter)
        return WorkPlan(
            request,
            (self._step(request, StepWords(request.instruction.strip(), None), length, 1),),
            "as you said",
            DecidedBy.USER,
        )

    def _of_words(
        self, request: DoRequest, steps: Sequence[StepWords], *, routes: Mapping[int, Route]
    ) -> WorkPlan | None:
        """The plan of steps in words, with `routes` for those that rules do not know; None where one is lacking.

        Raises `ConfigError` for too many steps.
        """
        if len(steps) > MOST_STEPS:
            raise ConfigError(f"{len(steps)} steps are asked for at once; ask for {MOST_STEPS} at most")
        made: list[WorkStep] = []
        for number, words in enumerate(steps, 1):
            route = routes.get(number) or self._route(request, steps, number)
            if route is None:
                return None
            made.append(self._step(request, words, route, number))
        decided = DecidedBy.MODEL if routes else DecidedBy.RULE
        reason = made[0].route.reason if len(made) == 1 else f"the request names {len(made)} steps"
        return WorkPlan(request, tuple(made), reason, decided)

    def _of_model(self, request: DoRequest, planned: Sequence[PlannedStep]) -> WorkPlan | None:
        """A model's plan as far as it makes sense: inputs that are not there are left out."""
        made: list[WorkStep] = []
        for number, one in enumerate(planned[:MOST_STEPS], 1):
            documents = tuple(dict.fromkeys(n - 1 for n in one.documents if 1 <= n <= len(request.documents)))
            earlier = tuple(dict.fromkeys(n for n in one.steps if 1 <= n < number))
            words = StepWords(
                one.instruction.strip(), None, documents, earlier, documents=bool(documents) or not earlier
            )
            reason = "the model took the request apart so"
            step = self._step(request, words, Route(one.capability, reason, DecidedBy.MODEL), number)
            made.append(self._possible(request, step))
        plan = WorkPlan(request, tuple(made), f"the model planned {len(made)} steps", DecidedBy.MODEL)
        return plan if holds_together(plan) else None

    def _possible(self, request: DoRequest, step: WorkStep) -> WorkStep:
        """A step whose capability can be: without a text to work on there is only a call, or writing."""
        grounded = bool(step.documents or step.steps or step.collection)
        needs = step.route.capability in {Capability.ASK, Capability.CHECK, Capability.SUMMARIZE}
        if needs and not grounded:
            return replace(step, route=replace(step.route, capability=Capability.CALL))
        given = self._given_of(request, step)
        ruled = route_by_rules(step.instruction, given)
        if step.route.capability is Capability.CALL and not given.fits:
            return replace(step, route=replace(step.route, capability=Capability.ASK))
        if ruled is not None and ruled.capability is step.route.capability:
            return replace(step, route=replace(ruled, decided_by=DecidedBy.MODEL, reason=step.route.reason))
        return step

    def _route(self, request: DoRequest, steps: Sequence[StepWords], number: int) -> Route | None:
        return route_by_rules(steps[number - 1].text, self._given_step(request, steps, number))

    def _step(self, request: DoRequest, words: StepWords, route: Route, number: int) -> WorkStep:
        documents = _documents_of(request, words)
        collection = words.documents and request.collection is not None
        step = WorkStep(number, words.text, route, tuple(one.id for one in documents), words.steps, collection)
        return replace(step, route=replace(route, how=self._how(request, step)))

    def _how(self, request: DoRequest, step: WorkStep) -> str:
        """By which method or strategy a step will be done, as far as that is known before."""
        documents = [one for one in request.documents if one.id in step.documents]
        info = self.workspace.engine.info
        if step.route.capability is Capability.SUMMARIZE and documents and not step.steps:
            if step.route.by_chapter:
                return "hierarchical, by chapter"
            fits = all(fits_one_call(body_tokens(one), info) for one in documents)
            return (
                "one call each"
                if fits and len(documents) > 1
                else "one call"
                if fits
                else "in segments that are merged, or as measured best"
            )
        if step.route.capability is Capability.ASK and not step.steps:
            tokens = sum(map(self._size, documents)) + (self.collected if step.collection else 0.0)
            choice = Sizes(info, AskOptions()).choose(step.instruction, tokens=tokens)
            return f"{choice.strategy}: {choice.reason}"
        return ""

    def _given(self, request: DoRequest, documents: Sequence[Document], steps: Sequence[int]) -> AskedWith:
        return self._given_of(
            request,
            WorkStep(
                1,
                request.instruction,
                Route(Capability.CALL, ""),
                tuple(one.id for one in request.documents),
                tuple(steps),
                request.collection is not None,
            ),
        )

    def _given_step(self, request: DoRequest, steps: Sequence[StepWords], number: int) -> AskedWith:
        words = steps[number - 1]
        documents = _documents_of(request, words)
        step = WorkStep(
            number,
            words.text,
            Route(Capability.CALL, ""),
            tuple(one.id for one in documents),
            words.steps,
            words.documents and request.collection is not None,
        )
        given = self._given_of(request, step)
        return given if len(steps) == 1 or number == len(steps) else replace(given, words=None)

    def _given_of(self, request: DoRequest, step: WorkStep) -> AskedWith:
        """What a step comes with, for the rules."""
        documents = [one for one in request.documents if one.id in step.documents]
        tokens = sum(map(self._size, documents)) + _TOKENS_OF_A_STEP * len(step.steps)
        return AskedWith(
            documents=len(documents) + len(step.steps),
            tokens=tokens + (self.collected if step.collection else 0.0),
            room=self._room(request, step),
            collection=step.collection,
            session=request.session is not None,
            turns=len(request.turns),
            words=request.words,
        )

    def _room(self, request: DoRequest, step: WorkStep) -> int:
        """The tokens of text that one call holds beside what else it is told: the request that a step is a part of,
        and what is known of the user."""
        whole = request.instruction.strip()
        told = step.instruction if step.instruction == whole else f"{step.instruction}\n\n{whole}"
        background = 0 if request.user is None else usual_budget(self.workspace.engine)
        return room_for_documents(self.workspace.engine.info, told, background=background)

    def _size(self, document: Document) -> float:
        if document.id not in self._tokens:
            self._tokens[document.id] = estimate_tokens(document.text)
        return self._tokens[document.id]


def _documents_of(request: DoRequest, words: StepWords) -> Sequence[Document]:
    if not words.documents:
        return ()
    return [request.documents[place] for place in words.places] if words.places else request.documents


def _titles(request: DoRequest) -> list[str]:
    return [one.title for one in request.documents]
