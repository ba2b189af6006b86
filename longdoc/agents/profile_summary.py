"""What is said of a user for a task, made offline: counted where it can be counted, else asked of a model.

Source: "Integrating Summarization and Retrieval for Enhanced Personalization via Large Language Models" (Richardson and
others, 2023, arXiv 2310.20081). Prompts of others ask a model for the most used tag; a model that counts is wrong now
and then, so labels and numbers are counted here, over all items.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Final

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit
from longdoc.agents.profile_tasks import OutputKind, ProfileTask
from longdoc.agents.sentences import cut_to_sentence
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine
from longdoc.errors import InvalidOutputError
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted, render, versions
from longdoc.storage.profile_types import Item

MOST_SOURCES: Final = 10
"""Items that a summary is made from, or that go into one that there is."""
SUMMARY_WORDS: Final = 200
_ITEM_WORDS = 200
"""Of each field of an item."""
_TOKENS_PER_WORD = 1.6
_TOP_LABELS = 3
_LARGEST = 1e9
_TEMPLATE = "profile/summary"
_WINDOW_SHARE = 0.6
_CHECKSUM = 8
COUNTED: Final = "counted"
"""The model and the prompt of a summary that no model made."""


@dataclass(frozen=True, slots=True)
class MadeSummary:
    """A summary: its text, what was counted, the items that it was made from, and the call behind it."""

    text: str
    counted: Mapping[str, JsonValue]
    items: tuple[Item, ...]
    prompt: str


def needs_model(task: ProfileTask) -> bool:
    """Whether the summary for a task is asked of a model."""
    return task.summary is not None


def choose_sources(items: Sequence[Item], *, seed: str, most: int = MOST_SOURCES) -> list[Item]:
    """The items that a summary is made from, the oldest first: half of them the newest, the others spread over the time
    before, one at random from each stretch of it."""
    if len(items) <= most:
        return list(items)
    latest = most // 2
    before, kept = items[:-latest], list(items[-latest:])
    random = Random(seed)  # noqa: S311 - nothing is secret, and all of it must come out again
    stretches = most - latest
    spread = [
        before[random.randrange(len(before) * one // stretches, len(before) * (one + 1) // stretches)]
        for one in range(stretches)
    ]
    return spread + kept


def count_outputs(task: ProfileTask, items: Sequence[Item]) -> dict[str, JsonValue]:
    """What can be counted of what came out: shares of labels, or of numbers with their mean and median."""
    outputs = [item.output.strip() for item in items if item.output and item.output.strip()]
    if task.output is OutputKind.LABEL and task.summary is None:
        counts = Counter(outputs)
        ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        return {"labels": {label: round(number / len(outputs), 4) for label, number in ordered}} if outputs else {}
    if task.output is OutputKind.NUMBER:
        numbers = [number for output in outputs if (number := number_in(output)) is not None]
        if not numbers:
            return {}
        shares = Counter(round(number) for number in numbers)
        return {
            "mean": round(statistics.fmean(numbers), 4),
            "median": statistics.median(numbers),
            "numbers": {str(one): round(shares[one] / len(numbers), 4) for one in sorted(shares)},
        }
    return {}


def describe_counts(counted: Mapping[str, JsonValue]) -> str:
    """What was counted, in words."""
    labels, numbers = counted.get("labels"), counted.get("numbers")
    if isinstance(labels, dict) and labels:
        top = [f'"{label}" ({_percent(share)})' for label, share in list(labels.items())[:_TOP_LABELS]]
        others = f"; {len(labels) - _TOP_LABELS} others are rarer" if len(labels) > _TOP_LABELS else ""
        return f"This person's most used labels: {', '.join(top)}{others}."
    if isinstance(numbers, dict) and numbers:
        shares = ", ".join(f"{number}: {_percent(share)}" for number, share in numbers.items())
        mean, median = counted.get("mean"), counted.get("median")
        return f"This person's ratings: {shares}. The median is {median:g}, the mean {mean:.1f}."
    return ""


def number_in(text: str) -> float | None:
    """The number that a text is; None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= _LARGEST else None  # which also leaves out infinities and what is no number


class ProfileSummarizer:
    """Makes summaries on any engine."""

    def __init__(self, engine: Engine, *, emit: Emit) -> None:
        self._engine = engine
        self._emit = emit

    async def summarize(
        self, task: ProfileTask, items: Sequence[Item], *, new: Sequence[Item], known: str | None, user: str
    ) -> MadeSummary:
        """What is said of a user by all of the task's `items`, the oldest first. With what is `known` only those that
        are `new` are read.

        Raises `InvalidOutputError` where the model says nothing, and what `Engine.complete` raises.
        """
        counted = count_outputs(task, items)
        if task.summary is None:
            return MadeSummary(describe_counts(counted), counted, tuple(items), COUNTED)
        chosen = choose_sources(new if known is not None else items, seed=f"{user} {task.name}")
        shown = self._shown(task, chosen)
        prompt = render(
            _TEMPLATE,
            {
                "known": None if known is None else Quoted(known, {"summary": task.name}),
                "items": shown,
                "ask": task.summary,
                "words": SUMMARY_WORDS,
            },
        )
        request = request_of(prompt, max_tokens=int(SUMMARY_WORDS * _TOKENS_PER_WORD))
        answer = await call(self._engine, request, purpose=f"summary of {user!r} for {task.name}", emit=self._emit)
        text = answer.text.strip()
        if answer.cut:
            text = cut_to_sentence(text) or text
        if not text:
            raise InvalidOutputError(f"the model said nothing of {user!r} for {task.name}")
        return MadeSummary(text, counted, tuple(chosen), summary_prompt(task))

    def _shown(self, task: ProfileTask, items: Sequence[Item]) -> list[Quoted]:
        """Items as they are shown, each field cut; in a small window shorter."""
        room = self._engine.info.context_window * _WINDOW_SHARE - SUMMARY_WORDS * _TOKENS_PER_WORD * 2
        words = _ITEM_WORDS
        while True:
            texts = [_clause(task, item, words) for item in items]
            if words <= 1 or sum(map(estimate_tokens, texts)) <= room:
                break
            words //= 2
        return [
            Quoted(text, {"profile": item.profile_id, "item": item.number})
            for text, item in zip(texts, items, strict=True)
        ]


def summary_prompt(task: ProfileTask) -> str:
    """What a summary for a task is asked with now: name and version of the prompt, and a checksum of the question that
    the task puts into it, so that another question is noticed."""
    if task.summary is None:
        return COUNTED
    return f"{_TEMPLATE}.v{versions(_TEMPLATE)[-1]} {sha256(task.summary.encode()).hexdigest()[:_CHECKSUM]}"


def _clause(task: ProfileTask, item: Item, most: int) -> str:
    output = None if item.output is None else _first_words(item.output, most)
    return task.clause_of(_first_words(item.text, most), output)


def _first_words(text: str, most: int) -> str:
    words = text.split()
    return text if len(words) <= most else " ".join(words[:most]) + " …"


def _percent(share: JsonValue) -> str:
    return f"{share:.0%}" if isinstance(share, int | float) else ""
