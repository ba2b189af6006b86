"""Checking claims against documents of any length: each is searched for, read about, and judged with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from longdoc.agents.claim_checker import ClaimCheck, ClaimChecker
from longdoc.agents.events import CallFinished, Emit, Event, NodeDone, Planned
from longdoc.agents.graph import run_graph
from longdoc.app.ask import estimate_ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import AskOptions, Finder, Sizes
from longdoc.app.results import Shown, Source, found_in
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.shelf import Shelf
from longdoc.app.strategies import Strategy, StrategyChoice
from longdoc.errors import ConfigError, ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.json_value import JsonValue
from longdoc.retrieval.excerpts import Excerpt
from longdoc.storage.nodes import Node, NodeStatus
from longdoc.storage.runs import RunRequest, RunStatus

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim and what became of it; `check` is None where it could not be judged, and `failure` says why.

    `choice` is how its evidence was found, None where nothing could be.
    """

    claim: str
    choice: StrategyChoice | None
    check: ClaimCheck | None
    failure: str = ""

    @property
    def told(self) -> str:
        """Verdict, claim and reason in a line."""
        if self.check is None:
            return f"Could not be judged: {self.claim} ({self.failure})"
        verdict = self.check.verdict.replace("_", " ").capitalize()
        return " ".join(filter(None, (f"{verdict}: {self.claim}", self.check.reason)))


@dataclass(frozen=True, slots=True)
class CheckResult(Shown):
    """Checked claims in the order they were given, the run they came from, and what that took this time."""

    run_id: str
    claims: tuple[CheckedClaim, ...]
    usage: RunUsage = field(default_factory=RunUsage)

    @property
    def text(self) -> str:
        """A paragraph for each claim: its verdict, the claim, and why."""
        return "\n\n".join(one.told for one in self.claims)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The quotations for and against the claims."""
        return found_in(
            self.text,
            ((one.told, (*one.check.supporting, *one.check.contradicting)) for one in self.claims if one.check),
        )


@dataclass(frozen=True, slots=True)
class CheckEstimate:
    """What checking claims takes at most, where every call is answered well at the first attempt."""

    claims: int
    calls: int
    prompt_tokens: int
    completion_tokens: int


async def estimate_checks(
    workspace: Workspace, shelf: Shelf, claims: Sequence[str], options: AskOptions
) -> CheckEstimate:
    """What `check_claims` will take at most. Spends nothing. Raises `ConfigError`."""
    _require_evidence(options)
    found = [await estimate_ask(workspace, shelf, claim, options, mapped=False) for claim in claims]
    return CheckEstimate(
        len(claims),
        sum(one.calls for one in found),
        sum(one.prompt_tokens for one in found),
        sum(one.completion_tokens for one in found),
    )


async def check_claims(
    workspace: Workspace,
    shelf: Shelf,
    claims: Sequence[str],
    options: AskOptions,
    *,
    fresh: bool = False,
    fresh_since: datetime | None = None,
    emit: Emit,
) -> CheckResult:
    """Check claims against the documents of a shelf; what is recorded is not asked again, unless `fresh` or from before
    `fresh_since` (aware).

    A claim whose answer cannot be used is told as such; the others go on. Raises `ConfigError` for claims that do not
    fit the window and strategies that find no evidence, and what the engine raises.
    """
    _require_evidence(options)
    request = RunRequest(
        kind="check",
        title=claims[0] if len(claims) == 1 else f"{len(claims)} claims about {shelf.title}",
        document_ids=() if shelf.collection is not None else shelf.ids,
        parameters=_parameters(shelf, claims, options),
        model=workspace.engine.info.identity,
    )
    async with open_run(workspace, request, fresh=fresh, fresh_since=fresh_since, emit=emit) as run:
        run.emit(Planned(len(claims), "1 claim" if len(claims) == 1 else f"{len(claims)} claims"))
        await workspace.records.nodes.keep_first(run.id, len(claims))
        checking = _Checking(workspace, run, shelf, options)
        checked: dict[int, CheckedClaim] = {}

        async def work(number: int) -> None:
            checked[number] = await checking.check(number, claims[number])

        await run_graph([()] * len(claims), work, at_once=_AT_ONCE)
        result = CheckResult(run.id, tuple(checked[number] for number in range(len(claims))), run.usage)
        run.result_node = f"{run.id}.0"
        run.status = RunStatus.GAPS if any(claim.check is None for claim in result.claims) else RunStatus.DONE
    return result


def _require_evidence(options: AskOptions) -> None:
    if options.strategy == Strategy.MAP:
        raise ConfigError("claims are checked with full, retrieve, cascade or xl3m, not with map")


def _parameters(shelf: Shelf, claims: Sequence[str], options: AskOptions) -> dict[str, JsonValue]:
    parameters: dict[str, JsonValue] = {"claims": list(claims), **options.parameters()}
    if shelf.collection is not None:
        parameters |= {"collection": shelf.collection, "documents": list(shelf.ids)}
    return parameters


class _Checking:
    """The claims of one run."""

    def __init__(self, workspace: Workspace, run: OpenRun, shelf: Shelf, options: AskOptions) -> None:
        self._workspace = workspace
        self._run = run
        self._checker = ClaimChecker(run.engine)
        self._tokens = Sizes(workspace.engine.info, options).answer
        self._finder = Finder(workspace, run, shelf, options)

    async def check(self, number: int, claim: str) -> CheckedClaim:
        """Check a claim and store what came of it."""
        calls: list[int] = []

        def emit(event: Event) -> None:
            if isinstance(event, CallFinished) and event.completion.call_id is not None:
                calls.append(event.completion.call_id)
            self._run.emit(event)

        choice: StrategyChoice | None = None
        try:
            choice = await self._finder.choose(claim, mapped=False)
            found = await self._finder.read(claim, choice, lambda excerpts: self._judged(claim, excerpts, emit))
            checked = CheckedClaim(claim, found.choice, found.made)
        except (InvalidOutputError, RequestRefusedError, ContextTooLongError) as error:
            checked = CheckedClaim(claim, choice, None, str(error))
        await self._store(number, checked, calls)
        return checked

    async def _judged(self, claim: str, excerpts: Sequence[Excerpt], emit: Emit) -> ClaimCheck:
        return await self._checker.check(claim, excerpts, max_tokens=self._tokens, emit=emit)

    async def _store(self, number: int, checked: CheckedClaim, calls: Sequence[int]) -> None:
        node = Node(
            id=f"{self._run.id}.{number}",
            run_id=self._run.id,
            number=number,
            level=0,
            title=checked.claim,
            text="" if checked.check is None else f"{checked.check.verdict}: {checked.check.reason}",
            status=NodeStatus.GAP if checked.check is None else NodeStatus.DONE,
            reason=checked.failure,
        )
        await self._workspace.records.nodes.save(node, calls=calls)
        self._run.emit(NodeDone(node.id, 0, checked.claim, gap=checked.check is None))
