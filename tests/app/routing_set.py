"""The requests of the routing test, as they are handed to the orchestrator, and how many of them come right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from longdoc.agents.follow_up import Turn
from longdoc.agents.routing import DecidedBy
from longdoc.app.bootstrap import Workspace
from longdoc.app.orchestrator import DoRequest, WorkPlan, plan_work
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes

_FOLDER = Path(__file__).parents[1] / "agents"
_FILES = ("routing_requests.jsonl", "routing_remarks.jsonl")
_TURNS = (
    Turn("Tell me about the river.", "It rises in the hills and is crossed by one bridge."),
    Turn("Who built it?", "A guild of masons."),
)
COLLECTION = "shelf"


@dataclass(frozen=True, slots=True)
class RoutingCase:
    """A request with the routes that are right for it, step by step; of an ambiguous one several are. Its part
    "remarks" are requests behind a remark of who asks, and talk that resembles them."""

    request: str
    given: str
    language: str
    right: tuple[tuple[str, ...], ...]
    clear: bool
    part: str


@dataclass(frozen=True, slots=True)
class Routed:
    """A case and the plan that came of it."""

    case: RoutingCase
    plan: WorkPlan

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(str(step.route.capability) for step in self.plan.steps)

    @property
    def right(self) -> bool:
        return self.routes in self.case.right

    @property
    def by_rules(self) -> bool:
        return self.plan.decided_by is DecidedBy.RULE and all(
            step.route.decided_by is DecidedBy.RULE for step in self.plan.steps
        )


@cache
def cases() -> tuple[RoutingCase, ...]:
    texts = [(_FOLDER / name).read_text(encoding="utf-8") for name in _FILES]
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    return tuple(
        RoutingCase(
            row["request"],
            row["with"],
            row["language"],
            tuple(tuple(one) for one in row["right"]),
            row["clear"],
            row["part"],
        )
        for row in rows
    )


@cache
def book(title: str, kilobytes: int) -> Document:
    """A text of its own of so many thousand characters."""
    sentence = f"In {title} the river rose again and the bridge was closed to carts for a week. "
    text = f"# {title}\n\n" + "\n\n".join([sentence * 5] * max(1, kilobytes * 1000 // (len(sentence) * 5)))
    return read_bytes(text.encode(), name=f"{title}.md")


def request_of(case: RoutingCase) -> DoRequest:
    documents = {
        "page": (book("The Letter", 2),),
        "pages": tuple(book(f"Article {number}", 2) for number in (1, 2, 3)),
        "book": (book("The Mill", 400),),
        "chat-book": (book("The Mill", 400),),
        "turns-book": (book("The Mill", 400),),
        "three": tuple(book(f"Volume {number}", 200) for number in (1, 2, 3)),
    }.get(case.given, ())
    return DoRequest(
        case.request,
        documents,
        collection=COLLECTION if case.given == "collection" else None,
        session="main" if case.given.startswith("chat") else None,
        turns=_TURNS if case.given.startswith("turns") else (),
    )


async def routed(workspace: Workspace, chosen: Sequence[RoutingCase]) -> list[Routed]:
    """The plans of cases."""
    if any(case.given == "collection" for case in chosen):
        volumes = [book(f"Volume {number}", 200) for number in (1, 2)]
        for volume in volumes:
            await workspace.records.documents.save(volume)
        await workspace.records.collections.add(COLLECTION, [volume.id for volume in volumes])
    return [Routed(case, await plan_work(workspace, request_of(case), emit=lambda event: None)) for case in chosen]


def share_right(found: Sequence[Routed]) -> float:
    return sum(one.right for one in found) / len(found)


def told_wrong(found: Sequence[Routed]) -> str:
    """The ones that went wrong, for people."""
    return "\n".join(
        f"{'rule' if one.by_rules else 'model'} {one.routes} not {one.case.right}: {one.case.request!r} with "
        f"{one.case.given}; {one.plan.steps[0].route.reason}"
        for one in found
        if not one.right
    )
