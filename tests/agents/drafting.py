"""What tests of drafts share: instructions, plans as a model would give them, and sections as it would write them."""

import json
from collections.abc import Callable, Sequence

from longdoc.agents.draft_context import DraftContext
from longdoc.agents.earlier_text import EarlierText
from longdoc.agents.section_writer import SectionTask
from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, Usage
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.draft_types import PlannedSection

SALT = Quoted("Write a history of salt.", {"draft": "salt"})
Answer = Callable[[CompletionRequest], str | Completion]


def prompt(request: CompletionRequest) -> str:
    return request.messages[1].content


def kind(request: CompletionRequest) -> str:
    return "" if request.origin is None else request.origin.name.removeprefix("write/")


def plan_json(*words: float, title: str = "Salt") -> str:
    """A plan with a section for each number of words."""
    sections = [
        {"heading": f"Heading {number}", "main_point": f"What {number} says.", "words": each}
        for number, each in enumerate(words, 1)
    ]
    return json.dumps({"title": title, "sections": sections})


def sentences(words: int, *, of: int = 12, about: str = "salt") -> str:
    """So many words in sentences of which none is like another."""
    count, rest = divmod(words, of)
    lengths = [of] * count + ([rest] if rest else [])
    return " ".join(
        " ".join([f"{about}{number}x{at}" for at in range(length)]).capitalize() + "."
        for number, length in enumerate(lengths)
    )


def stopped(text: str, reason: FinishReason) -> Completion:
    """An answer that ended for a reason."""
    return Completion(text, reason, Usage(10, 10), "scripted")


def section(words: int = 200, heading: str = "The Sea", point: str = "Salt comes from the sea.") -> PlannedSection:
    return PlannedSection(1, heading, point, words)


def section_task(
    words: int = 200,
    *,
    number: int = 2,
    count: int = 3,
    context: DraftContext | None = None,
    earlier: Sequence[str] = (),
    heading: str = "The Sea",
) -> SectionTask:
    planned = section(words, heading)
    return SectionTask(planned, number, count, words, context or DraftContext(SALT), EarlierText(earlier))
