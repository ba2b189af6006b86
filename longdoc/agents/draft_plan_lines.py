"""The lines of a plan as models give them, and what is made of them: sections that add up, in a sensible number.

A plan may be anything: hundreds of sections, none, numbers of words that are ten times too many, prose. Owns what each
of these becomes; asking for plans is `draft_planner.py`'s.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, Field, JsonValue, create_model, field_validator, model_validator

from longdoc.agents.answer_shapes import LENIENT
from longdoc.agents.draft_budget import LEAST_SECTION, kept_within, share_out
from longdoc.agents.structured import read_shape
from longdoc.errors import InvalidOutputError
from longdoc.storage.draft_types import PlannedSection

_MOST_SOURCES: Final = 3
_MOST_HEADING, _MOST_POINT, _MOST_MERGED, _MOST_SOURCE = 120, 400, 600, 120
_LONGEST_LINE = 1_000
"""Characters of a line in prose that are read."""
_OTHER_NAMES: Final = (("heading", "title"), ("main_point", "description"), ("main_point", "summary"))
_SECTIONS = "sections"
_ENDS = ('"}', "}", "null}", '": null}', '"]}', "]}", "null]}")
"""What closes an object that was cut: within a string, after a value, before one, within a name; in a list."""
_MOST_SAID = 10**9
"""The most words that a line may ask for; what is more says nothing."""
_MERGED = "; "
_NAMELESS = "Text"
_HAN = "一二三四五六七八九十"
_LABEL_WORD = r"(?:section|paragraph|part|chapter|abschnitt|kapitel|absatz|chapitre|partie|capítulo|sección)"
_HAN_LABEL = rf"(?:第\s?[\d{_HAN}百]{{1,5}}\s?[章节節段部篇]分?|[{_HAN}]{{1,3}}(?=、))"
_LISTED = re.compile(
    rf"\s{{0,40}}(?:[-*•]|#{{1,6}}\s|\(?\d{{1,3}}[.):、]|\**{_LABEL_WORD}\s\d{{1,3}}\s?[-.:–—]?|{_HAN_LABEL}\s?[、:：]?)\s?"
    r"(?P<rest>\S.*)",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"[\s,;([–—-]{0,4}(?:word count\s?:\s?)?(?<![\d,])(?P<words>\d[\d,]{0,9})\s?"
    r"(?:(?:words?|wörter|mots|palabras)\b|字)\.?[)\]）]?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\b(?:main points?|word count|heading|title)\s?:\s?", re.IGNORECASE)
_DETAIL = re.compile(
    r"\W{0,12}(?:(?P<count>word count|words|length|字数)|(?P<point>main points?|summary|content|要点))"
    r"\W{0,4}[:：]\W{0,4}(?P<value>.*)",
    re.IGNORECASE,
)
"""A line that says something of the line of the plan above it."""
_NUMBERED = re.compile(
    rf"\s{{0,8}}(?:{_LABEL_WORD}\s)?\d{{1,3}}\s?[.:)–—-]\s+|{_HAN_LABEL}\s?[、:：\s]\s?", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,80}>")


class PlanLine(BaseModel):
    """A line of a plan as a model gives it; what is lacking, or of another kind, is made good later."""

    model_config = LENIENT

    heading: Annotated[str, Field(json_schema_extra={"maxLength": 100})] = ""
    main_point: Annotated[str, Field(json_schema_extra={"maxLength": 300})] = ""
    words: Annotated[float, Field(json_schema_extra={"type": "integer"})] = 0
    sources: Annotated[list[str], Field(json_schema_extra={"maxItems": _MOST_SOURCES})] = []

    @model_validator(mode="before")
    @classmethod
    def _near_misses(cls, value: JsonValue) -> JsonValue:
        if not isinstance(value, dict):
            return {"heading": value}
        return {name: value[other] for name, other in _OTHER_NAMES if other in value} | value

    @field_validator("heading", "main_point", mode="before")
    @classmethod
    def _text(cls, value: JsonValue) -> str:
        return _said(value)

    @field_validator("words", mode="before")
    @classmethod
    def _number(cls, value: JsonValue) -> float:
        if isinstance(value, str):
            found = re.search(r"(?<![\d.-])\d[\d,]{0,9}(?!\d)", value[:_LONGEST_LINE])
            value = float(found[0].replace(",", "")) if found else 0
        if isinstance(value, bool) or not isinstance(value, int | float):
            return 0
        return float(value) if 0 < value <= _MOST_SAID else 0  # neither of these holds for what is no number

    @field_validator("sources", mode="before")
    @classmethod
    def _strings(cls, value: JsonValue) -> list[str]:
        several = value if isinstance(value, list) else [value]
        words = (" ".join(one[:_LONGEST_LINE].split())[:_MOST_SOURCE] for one in several if isinstance(one, str))
        return [one for one in words if one][:_MOST_SOURCES]


class PlanShape(BaseModel):
    """A plan as a model gives it; a list alone is its sections. Lines that say nothing do not count."""

    model_config = LENIENT

    title: Annotated[str, Field(json_schema_extra={"maxLength": 120})] = ""
    sections: Annotated[list[PlanLine], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _list_alone(cls, value: JsonValue) -> JsonValue:
        return {"sections": value} if isinstance(value, list) else value

    @field_validator("title", mode="before")
    @classmethod
    def _text(cls, value: JsonValue) -> str:
        return _one_line(_said(value), _MOST_HEADING)

    @field_validator("sections", mode="before")
    @classmethod
    def _lines(cls, value: JsonValue) -> list[PlanLine] | JsonValue:
        return cleaned(map(PlanLine.model_validate, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many lines a plan shall have: a model is told `fewest` to `most`, and `least` to `limit` are taken."""

    fewest: int
    most: int
    least: int
    limit: int

    @classmethod
    def exactly(cls, count: int) -> LineCount:
        """So many and no other number."""
        return cls(count, count, count, count)


def bounded_shape(count: LineCount) -> type[PlanShape]:
    """The shape of a plan with so many lines."""
    told: dict[str, JsonValue] = {"minItems": count.fewest, "maxItems": count.most}
    field = Field(min_length=count.least, max_length=count.limit, json_schema_extra=told)
    return create_model("Plan", __base__=PlanShape, sections=(list[PlanLine], field))


def plan_in(text: str) -> PlanShape | None:
    """The plan in an answer that is not as asked for: with any number of sections, in JSON that is broken somewhere, or
    a list in prose; None where there is none of these."""
    with contextlib.suppress(InvalidOutputError):
        return read_shape(text, PlanShape)
    lines = cleaned(_objects_in(text)) or cleaned(_cut_line(text)) or cleaned(listed(text))
    return PlanShape(sections=lines) if lines else None


def listed(text: str) -> list[PlanLine]:
    """The lines of a plan in prose: those that are numbered or marked, with a number of words where they have one."""
    found: list[PlanLine] = []
    for whole in text.splitlines():
        line = whole[:_LONGEST_LINE]
        if found and (detail := _DETAIL.match(line)):
            found[-1] = _with_detail(found[-1], detail)
        elif match := _LISTED.match(line):
            found.extend(_line_of(match["rest"]))
    return found


def cleaned(lines: Iterable[PlanLine]) -> list[PlanLine]:
    """Lines that say something, each once, with heading and main point in one line each and without labels."""
    kept: dict[tuple[str, str], PlanLine] = {}
    for line in lines:
        heading = _NUMBERED.sub("", _one_line(line.heading, _MOST_HEADING), count=1).strip(" #*")
        point = _one_line(line.main_point, _MOST_POINT)
        if not any(map(str.isalnum, heading + point)):
            continue
        heading = heading or _one_line(point, _MOST_HEADING // 2)
        kept.setdefault(
            (heading.casefold(), point.casefold()),
            line.model_copy(update={"heading": heading, "main_point": point or heading}),
        )
    return list(kept.values())


def whole_line(instruction: str) -> PlanLine:
    """The line of a text that nothing is planned of: all that was asked for."""
    heading, point = _one_line(instruction, _MOST_HEADING // 2), _one_line(instruction, _MOST_POINT)
    return PlanLine(heading=heading or _NAMELESS, main_point=point or _NAMELESS)


def fit_count(lines: Sequence[PlanLine], fewest: int, most: int) -> list[PlanLine]:
    """As many lines as may be: the smallest neighbours made one, the largest made several. Raises `InvalidOutputError`
    for none."""
    if not lines:
        raise InvalidOutputError("the plan has no section; ask again, with another model or a clearer instruction")
    fitted = list(lines)
    while len(fitted) > max(1, most):
        at = min(range(len(fitted) - 1), key=lambda n: (fitted[n].words + fitted[n + 1].words, n))
        fitted[at : at + 2] = [_merged(fitted[at], fitted[at + 1])]
    pieces = [1] * len(fitted)
    for _ in range(fewest - len(fitted)):
        pieces[max(range(len(fitted)), key=lambda n: (fitted[n].words / pieces[n], -pieces[n], -n))] += 1
    return [piece for line, count in zip(fitted, pieces, strict=True) for piece in _divided(line, count)]


def sections_of(
    lines: Sequence[PlanLine], words: int, path: tuple[str, ...], *, most: int, grounded: bool
) -> list[PlannedSection]:
    """The lines as sections whose budgets add up to the words, in the proportions of the lines as far as sections of
    200 to `most` words allow."""
    budgets = kept_within(share_out(words, [line.words for line in lines]), LEAST_SECTION, most)
    return [
        PlannedSection(0, line.heading, line.main_point, budget, path, tuple(line.sources) if grounded else ())
        for line, budget in zip(lines, budgets, strict=True)
    ]


def _said(value: JsonValue) -> str:
    """A text, or a number as one; nothing for anything else."""
    return str(value) if isinstance(value, str | float) or (isinstance(value, int) and value < _MOST_SAID) else ""


def _one_line(text: str, most: int) -> str:
    """A text in one line without tags, cut at a word where it is longer than so many characters."""
    line = " ".join(_TAG.sub(" ", text[: 10 * most]).split())
    if len(line) <= most:
        return line
    head, _, _ = line[: most + 1].rpartition(" ")
    return (head if len(head) > most // 2 else line[:most]).rstrip(" ,;:-–—")


def _objects_in(text: str) -> Iterator[PlanLine]:
    """The lines that stand in JSON which is broken elsewhere."""
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{\s{0,20}\"", text):
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if _SECTIONS not in value:
            yield PlanLine.model_validate(value)


def _cut_line(text: str) -> Iterator[PlanLine]:
    """The line in which JSON ends that was cut, as far as it goes."""
    begun = text.rfind("{")
    cut = "[" in text[: max(0, begun)] and "}" not in text[begun:]
    for end in _ENDS if cut else ():
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(text[begun:].rstrip("\\") + end, strict=False)
            if isinstance(value, dict) and _SECTIONS not in value:
                yield PlanLine.model_validate(value)
                return


def _line_of(rest: str) -> Iterator[PlanLine]:
    count = _COUNT.search(rest)
    said = _LABEL.sub("", _COUNT.sub("", rest)).strip(" -–—:：.*")
    parted = re.match(r"(?P<heading>[^:：]{1,99})(?:: |：)(?P<point>.+)", said)
    if said:
        yield PlanLine(
            heading=parted["heading"].strip("* ") if parted else said,
            main_point=parted["point"].strip("* ") if parted else said,
            words=float(count["words"].replace(",", "")) if count else 0,
        )


def _with_detail(line: PlanLine, detail: re.Match[str]) -> PlanLine:
    if detail["count"]:
        return PlanLine.model_validate({**line.model_dump(), "words": detail["value"]})
    return line.model_copy(update={"main_point": detail["value"]})


def _merged(first: PlanLine, second: PlanLine) -> PlanLine:
    return first.model_copy(
        update={
            "main_point": _one_line(f"{first.main_point}{_MERGED}{second.main_point}", _MOST_MERGED),
            "words": first.words + second.words,
            "sources": [*first.sources, *second.sources][:_MOST_SOURCES],
        }
    )


def _divided(line: PlanLine, count: int) -> list[PlanLine]:
    """A line made so many, told apart by their headings."""
    if count == 1:
        return [line]
    return [
        line.model_copy(update={"words": line.words / count, "heading": f"{line.heading} ({number})"})
        for number in range(1, count + 1)
    ]
