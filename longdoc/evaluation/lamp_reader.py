"""A reader of planted users, without a model: it uses what a prompt shows of a person, and nothing else.

It answers requests (`profile/answer`) and writes summaries (`profile/summary`), for a `ScriptedEngine`. What a summary
says counts more than items; without either it answers as for anybody.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from longdoc.engines.engine import CompletionRequest
from longdoc.evaluation.planted_users import BASES, FIELDS

_BETWEEN: Final = {name: re.compile(rf"<{name}>\n(.*?)\n</{name}>", re.DOTALL) for name in ("summary", "item", "input")}
_CLAUSE = re.compile(
    r'"(?P<output>.*?)" is (?:the|a) [a-z ]+?(?: of this author)?(?: for| of|:) "(?P<text>.*)"', re.DOTALL
)
_SUBJECT = re.compile(r"This is about (the \w+ \w+)\.")
_POST = re.compile(r"the \w+ \w+ .* today", re.DOTALL)
_REFERENCES = re.compile(r'\[1\]: "(.*)"\n\[2\]: "(.*)"')
_BASE = re.compile(rf"it was ({'|'.join(BASES)})\.")
_SAID = re.compile(r"They write like this: <(.*)>")
_LABEL = re.compile(r'most used labels: "(.*?)"')
_MEAN = re.compile(r"the mean (\d+\.\d+)\.")
_FIELD_OF = {word: field for field, words in FIELDS.items() for word in words}
_WORKS_ON = re.compile(r"They work on ([a-z ]+)\.")
_MIDDLE = 3
_HOLE = "…"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a prompt shows."""

    summary: str
    items: Sequence[str]
    asked: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Text and output of each item."""
        found = [match for item in self.items if (match := _CLAUSE.fullmatch(item)) is not None]
        return [(match["text"], match["output"]) for match in found]


def read_planted(request: CompletionRequest) -> str:
    """The answer to a request, or the summary that it asks for."""
    prompt = request.messages[-1].content
    found = {name: pattern.findall(prompt) for name, pattern in _BETWEEN.items()}
    shown = _Shown(" ".join(found["summary"]), found["item"], " ".join(found["input"]))
    if request.origin is not None and request.origin.name == "profile/summary":
        return _summary(shown)
    if request.json_schema is not None:
        return json.dumps({"answer": _choice(shown)})
    return _written(shown)


def _summary(shown: _Shown) -> str:
    """What items have in common: a form of titles or of posts, or words of a field."""
    forms = _forms(shown)
    if forms:
        return f"They write like this: <{_commonest(forms)}>"
    return f"They work on {_commonest([field for item in shown.items for field in _fields(item)])}."


def _choice(shown: _Shown) -> str | int:
    """A reference, a rating or a tag."""
    if references := _REFERENCES.search(shown.asked):
        return _reference(shown, references[1], references[2])
    if base := _BASE.search(shown.asked):
        return BASES[base[1]] + _shift(shown)
    if said := _LABEL.search(shown.summary):
        return said[1]
    return _commonest([output for _, output in shown.pairs]) if shown.pairs else "sci-fi"


def _reference(shown: _Shown, one: str, other: str) -> str:
    said = _WORKS_ON.search(shown.summary)
    known = Counter([said[1]] if said else [field for item in shown.items for field in _fields(item)])
    scores = [sum(known[field] for field in _fields(text)) for text in (one, other)]
    return "[1]" if scores[0] >= scores[1] else "[2]"


def _shift(shown: _Shown) -> int:
    """How far the person's ratings lie from anybody's."""
    if said := _MEAN.search(shown.summary):
        return round(float(said[1]) - _MIDDLE)
    shifts = [
        float(output) - BASES[base[1]] for text, output in shown.pairs if (base := _BASE.search(text)) is not None
    ]
    return round(fmean(shifts)) if shifts else 0


def _written(shown: _Shown) -> str:
    """A title, or a post, in the person's form."""
    said = _SAID.search(shown.summary)
    forms = [said[1]] if said else _forms(shown)
    subject = _SUBJECT.search(shown.asked)
    plain = subject[1] if subject else shown.asked
    return (_commonest(forms) if forms else _HOLE).replace(_HOLE, plain)


def _forms(shown: _Shown) -> list[str]:
    """The form of each item: its title without the subject, or the post without what it says."""
    titles = [
        output.replace(subject[1], _HOLE)
        for text, output in shown.pairs
        if (subject := _SUBJECT.search(text)) is not None and subject[1] in output
    ]
    return titles or [_POST.sub(_HOLE, item) for item in shown.items if _POST.search(item)]


def _fields(text: str) -> list[str]:
    """The fields of research that words of a text are of, as often as there are such words."""
    return [_FIELD_OF[word] for word in re.findall(r"\w+", text) if word in _FIELD_OF]


def _commonest(values: Sequence[str]) -> str:
    """The commonest value; of equally common ones the first."""
    return Counter(values).most_common(1)[0][0]
