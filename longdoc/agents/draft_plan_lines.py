"""The lines of a plan as models give them, and what is made of them: sections that add up, in a sensible number.

A plan may be anything: hundreds of sections, none, numbers of words that are ten times too many, prose. Owns what each
of these becomes; asking for plans is `draft_planner.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model, field_validator, model_validator

from longdoc.agents.answer_shapes import LENIENT
from longdoc.agents.draft_budget import LEAST_SECTION, MOST_SECTION, share_out
from longdoc.errors import InvalidOutputError
from longdoc.storage.draft_types import PlannedSection

_MOST_SOURCES: Final = 3
_MERGED = "; "
_LISTED = re.compile(
    r"^\s*(?:[-*•]|\(?\d{1,3}[.):]|(?:section|paragraph|part|chapter)\s+\d+\s*[-.:–—]?)\s*(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"[\s,;(\[–—-]*(?:word count\s*:?\s*)?(?P<words>\d[\d,]*)\s*(?:words?|字)\b\.?[)\]]?", re.IGNORECASE
)
_LABEL = re.compile(r"\b(?:main points?|word count|heading|title)\s*:\s*", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*(?:(?:section|part|chapter|paragraph)\s+)?\d{1,3}\s*[.:)–—-]\s+", re.IGNORECASE)
_HALF = re.compile(r" \((\d+)\)$")


_ALL_ASKED: Final = ConfigDict(
    frozen=True, json_schema_extra={"additionalProperties": False, "required": ["heading", "main_point", "words"]}
)
"""Engines are asked for all of a line, and what lacks some is read all the same."""


class PlanLine(BaseModel):
    """A line of a plan as a model gives it; what is lacking, or no number, is made good later."""

    model_config = _ALL_ASKED

    heading: Annotated[str, Field(json_schema_extra={"maxLength": 100})] = ""
    main_point: Annotated[str, Field(json_schema_extra={"maxLength": 300})] = ""
    words: Annotated[float, Field(json_schema_extra={"type": "integer"})] = 0
    sources: Annotated[list[str], Field(json_schema_extra={"maxItems": _MOST_SOURCES})] = []

    @field_validator("words", mode="before")
    @classmethod
    def _number(cls, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            found = re.search(r"\d[\d,]*", value)
            return found[0].replace(",", "") if found else 0
        return value if isinstance(value, int | float) else 0

    @field_validator("sources", mode="before")
    @classmethod
    def _strings(cls, value: JsonValue) -> JsonValue:
        several = value if isinstance(value, list) else [value]
        words: list[JsonValue] = [one for one in several if isinstance(one, str) and one.strip()]
        return words[:_MOST_SOURCES]

    @model_validator(mode="before")
    @classmethod
    def _heading_alone(cls, value: JsonValue) -> JsonValue:
        return {"heading": value} if isinstance(value, str) else value


class PlanShape(BaseModel):
    """A plan as a model gives it."""

    model_config = LENIENT

    title: Annotated[str, Field(json_schema_extra={"maxLength": 120})] = ""
    sections: list[PlanLine]


def bounded_shape(fewest: int, most: int) -> type[PlanShape]:
    """The shape with so many sections; the bounds stand in the schema, and nothing checks them."""
    extra: dict[str, JsonValue] = {"minItems": fewest, "maxItems": max(fewest, most)}
    sections = (list[PlanLine], Field(json_schema_extra=extra))
    return create_model("Plan", __base__=PlanShape, sections=sections)


def listed(text: str) -> list[PlanLine]:
    """The lines of a plan in prose: those that are numbered or marked, with a number of words where they have one."""
    found: list[PlanLine] = []
    for line in text.splitlines():
        match = _LISTED.match(line)
        if match is None:
            continue
        count = _COUNT.search(match["rest"])
        rest = _LABEL.sub("", _COUNT.sub("", match["rest"])).strip(" -–—:.*")
        heading, _, point = rest.partition(": ") if ": " in rest[:100] else (rest[:80], "", rest)
        if rest:
            found.append(
                PlanLine(
                    heading=heading.strip("* "),
                    main_point=point,
                    words=float(count["words"].replace(",", "")) if count else 0,
                )
            )
    return found


def cleaned(lines: Iterable[PlanLine]) -> list[PlanLine]:
    """Lines that say something, each once, with heading and main point in one line each and without labels."""
    kept: dict[tuple[str, str], PlanLine] = {}
    for line in lines:
        heading = _NUMBERED.sub("", " ".join(line.heading.split())).strip(" #*")
        point = " ".join(line.main_point.split())
        if not any(map(str.isalnum, heading + point)):
            continue
        heading = heading or point[:60].rsplit(" ", 1)[0]
        kept.setdefault(
            (heading.casefold(), point.casefold()),
            line.model_copy(update={"heading": heading, "main_point": point or heading}),
        )
    return list(kept.values())


def fit_count(lines: Sequence[PlanLine], fewest: int, most: int) -> list[PlanLine]:
    """As many lines as may be: the smallest neighbours made one, the largest made two. Raises `InvalidOutputError` for
    none."""
    if not lines:
        raise InvalidOutputError("the plan has no section; ask again, with another model or a clearer instruction")
    fitted = list(lines)
    while len(fitted) > max(1, most):
        at = min(range(len(fitted) - 1), key=lambda n: (_size(fitted[n]) + _size(fitted[n + 1]), n))
        fitted[at : at + 2] = [_merged(fitted[at], fitted[at + 1])]
    while len(fitted) < fewest:
        at = max(range(len(fitted)), key=lambda n: (_size(fitted[n]), -n))
        fitted[at : at + 1] = _halves(fitted[at])
    return fitted


def sections_of(
    lines: Sequence[PlanLine], words: int, path: tuple[str, ...], *, grounded: bool
) -> list[PlannedSection]:
    """The lines as sections whose budgets add up to the words; none is longer than a quarter more than even shares
    allow, since models do not keep longer ones."""
    mean = words / len(lines)
    most = max(MOST_SECTION, mean)
    weights = [min(max(_size(line) or mean, LEAST_SECTION / 2), most) for line in lines]
    budgets = _capped(share_out(words, weights), most)
    return [
        PlannedSection(0, line.heading, line.main_point, budget, path, tuple(line.sources) if grounded else ())
        for line, budget in zip(lines, budgets, strict=True)
    ]


def _capped(budgets: Sequence[int], most: float) -> list[int]:
    """The same sum with none over `most`, as far as there is room below it."""
    capped = [min(budget, int(most)) for budget in budgets]
    left = sum(budgets) - sum(capped)
    room = [int(most) - budget for budget in capped]
    if not left or not sum(room):
        return [*capped[:-1], capped[-1] + left]
    return [budget + more for budget, more in zip(capped, _spread(left, room), strict=True)]


def _spread(amount: int, room: Sequence[int]) -> list[int]:
    """An amount shared out in proportion to room."""
    shares = [amount * one // sum(room) for one in room]
    for number in sorted(range(len(room)), key=lambda n: -room[n])[: amount - sum(shares)]:
        shares[number] += 1
    return shares


def _size(line: PlanLine) -> float:
    return line.words if 0 < line.words < float("inf") else 0.0


def _merged(first: PlanLine, second: PlanLine) -> PlanLine:
    return PlanLine(
        heading=first.heading,
        main_point=f"{first.main_point}{_MERGED}{second.main_point}"[:600],
        words=_size(first) + _size(second),
        sources=[*first.sources, *second.sources][:_MOST_SOURCES],
    )


def _halves(line: PlanLine) -> list[PlanLine]:
    """A line made two, told apart by their headings."""
    half = _size(line) / 2
    match = _HALF.search(line.heading)
    base, number = (line.heading[: match.start()], int(match[1])) if match else (line.heading, 1)
    first = line.model_copy(update={"words": half, "heading": f"{base} ({number})"})
    return [first, line.model_copy(update={"words": half, "heading": f"{base} ({number + 1})"})]
