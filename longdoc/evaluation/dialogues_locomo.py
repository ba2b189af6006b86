"""The dialogues of LoCoMo: two people who write to each other over months, with the utterances that hold the evidence.

Source: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (ACL 2024), github
snap-research/locomo. Owns reading the published file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import JsonValue, TypeAdapter, model_validator

from longdoc.evaluation.dialogue import Dialogue, DialogueQuestion, DialogueTurn
from longdoc.evaluation.dialogue_files import Date, Shape, read_shape, require_some

CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
"""What the numbers of the categories mean."""

_ADVERSARIAL = 5
_SESSION = re.compile(r"session_(\d+)")
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")


class _Utterance(Shape):
    speaker: str
    dia_id: str
    text: str
    blip_caption: str | None = None

    def turn(self, at: datetime | None) -> DialogueTurn:
        picture = f" [image: {self.blip_caption}]" if self.blip_caption else ""
        said = f"{self.speaker}: {self.text}{picture}"
        return DialogueTurn(observation=said, at=at, speaker=self.speaker, source=self.dia_id)


class _Session(Shape):
    date_time: Date | None = None
    utterances: list[_Utterance]


class _Conversation(Shape):
    sessions: dict[int, _Session]

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: JsonValue) -> JsonValue | dict[str, dict[int, JsonValue]]:
        """Sessions and their dates are fields side by side; dates without a session are passed over."""
        if not isinstance(value, dict):
            return value
        named = {int(found[1]): name for name in value if (found := _SESSION.fullmatch(name))}
        if not named:
            raise ValueError("there is no session_1")
        dates = {number: value.get(f"{name}_date_time") for number, name in named.items()}
        return {"sessions": {n: {"date_time": dates[n], "utterances": value[named[n]]} for n in sorted(named)}}


class _Question(Shape):
    question: str
    answer: str | None = None
    adversarial_answer: str | None = None
    evidence: tuple[str, ...] = ()
    category: Literal[1, 2, 3, 4, 5]

    @model_validator(mode="after")
    def _has_answer(self) -> Self:
        if self.answer is None and self.category != _ADVERSARIAL:
            raise ValueError("there is no answer")
        return self

    def asked(self, name: str, places: Mapping[str, int]) -> DialogueQuestion:
        adversarial = self.category == _ADVERSARIAL
        return DialogueQuestion(
            id=name,
            question=self.question,
            answer=(self.adversarial_answer if adversarial else None) or self.answer or "",
            gold=_cited(self.evidence, places),
            kind=CATEGORIES[self.category],
            answerable=not adversarial,
        )


class LocomoSample(Shape):
    """A conversation of the set with its questions, as the file has it."""

    sample_id: str
    conversation: _Conversation
    qa: list[_Question]

    def dialogue(self) -> Dialogue:
        """The same as a dialogue, whose turns are utterances."""
        sessions = self.conversation.sessions.values()
        turns = tuple(one.turn(session.date_time) for session in sessions for one in session.utterances)
        places = {turn.source: place for place, turn in enumerate(turns)}
        asked = tuple(one.asked(f"{self.sample_id}-{number}", places) for number, one in enumerate(self.qa, 1))
        return Dialogue(self.sample_id, "", turns, asked)


_SAMPLES = TypeAdapter(list[LocomoSample])


def read_locomo(path: Path) -> list[Dialogue]:
    """The dialogues of LoCoMo, such as `locomo10.json`. Raises `DocumentError`.

    Two people talk, so a turn is one utterance, "Name: text", with the caption of a picture that was sent. Evidence is
    repaired where several names stand in one ("D8:6; D9:17") or one is misspelt ("D:11:26", "D30:05"); what names no
    turn is left out. Of an adversarial question, which says of one speaker what the other one said, the evidence is
    where that was said. References of open-domain questions go on after a semicolon, which the authors do not score.
    """
    return require_some([sample.dialogue() for sample in read_shape(path, _SAMPLES)], path)


def _cited(evidence: Iterable[str], places: Mapping[str, int]) -> tuple[int, ...]:
    names = [name for cited in evidence for name in ([cited] if cited in places else _repaired(cited))]
    return tuple(sorted({places[name] for name in names if name in places}))


def _repaired(cited: str) -> list[str]:
    return [f"D{int(session)}:{int(number)}" for session, number in _EVIDENCE.findall(cited)]
