"""Dialogues with questions about what was said in them: what a memory is measured on.

Owns the values and reading three published formats into them; asking, recalling and scoring are left to others.

- SCM4LLMs: Wang et al., "Self-Controlled Memory" (2023), github wbbeyourself/SCM4LLMs.
- LoCoMo: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (ACL 2024), github
  snap-research/locomo.
- LongMemEval: Wu et al., "LongMemEval" (ICLR 2025), github xiaowu0162/LongMemEval.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    JsonValue,
    NonNegativeInt,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from longdoc.errors import (
    ConfigError,
    DocumentError,
    EmptyDocumentError,
    MalformedDocumentError,
    UnsupportedDocumentError,
)
from longdoc.evaluation.json_lines import read_file

KNOWN_FORMATS: Final = (
    "SCM4LLMs (a folder with dialogue_en.json and questions_en.json, or in other languages), "
    "LoCoMo (a list of samples with conversation and qa) and "
    "LongMemEval (a list of instances with haystack_sessions)"
)

CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
"""What the numbers of LoCoMo's categories mean."""

_ADVERSARIAL = 5
_UNANSWERABLE = "_abs"
_DATES = "%I:%M %p on %d %B, %Y", "%Y/%m/%d (%a) %H:%M"
"""How LoCoMo and LongMemEval write dates: "1:56 pm on 8 May, 2023", "2023/05/20 (Sat) 02:21"."""
_SESSION = re.compile(r"session_(\d+)")
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class DialogueTurn:
    """What was said and, where somebody answered it at once, the answer; else `response` is empty.

    `at` is when it was said, None where a format does not tell; formats date sessions, so that the turns of one share
    a date, and name no zone, so that it is taken for UTC. `speaker` said the observation, `responder` the response;
    empty where a format has no names. `source` is what a format calls the turn, empty where it has no name for it.
    """

    observation: str
    response: str = ""
    at: datetime | None = None
    speaker: str = ""
    responder: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class DialogueQuestion:
    """A question about a dialogue.

    `gold` are the turns (from 0) that hold the evidence, none where these are not known; `also` the turns that hold
    the same evidence again. A question that is not `answerable` asks for what nobody said: its `answer` is no
    reference but a trap (LoCoMo) or a refusal (LongMemEval), and its gold turns are only about the like. `at` is when
    it is asked, None where a format does not tell.
    """

    id: str
    question: str
    answer: str
    gold: tuple[int, ...] = ()
    also: tuple[int, ...] = ()
    kind: str = ""
    answerable: bool = True
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Turns in the order in which they were said, and questions asked after the last one.

    `language` is a code such as "en", empty where a format does not tell.
    """

    id: str
    language: str
    turns: tuple[DialogueTurn, ...]
    questions: tuple[DialogueQuestion, ...]


def _parsed(value: JsonValue) -> JsonValue | datetime:
    """A date in the words of a set; what is written otherwise (ISO 8601) is left to pydantic."""
    if isinstance(value, str):
        for form in _DATES:
            with suppress(ValueError):
                return datetime.strptime(value.strip(), form).replace(tzinfo=UTC)
    return value


def _zoned(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


_Date: TypeAlias = Annotated[datetime, BeforeValidator(_parsed), AfterValidator(_zoned)]


class _Shape(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)  # answers are numbers now and then


class _ScmDialogue(_Shape):
    id: str
    dialogue: list[str]


class _ScmQuestion(_Shape):
    question_id: str
    id: str
    mode: str
    question: str
    answer: str


class _GoldTurns(_Shape):
    gold: tuple[NonNegativeInt, ...] = ()
    also: tuple[NonNegativeInt, ...] = ()


class _GoldFile(_Shape):
    questions: dict[str, _GoldTurns]


class _Utterance(_Shape):
    speaker: str
    dia_id: str
    text: str
    blip_caption: str | None = None

    def turn(self, at: datetime | None) -> DialogueTurn:
        picture = f" [image: {self.blip_caption}]" if self.blip_caption else ""
        said = f"{self.speaker}: {self.text}{picture}"
        return DialogueTurn(observation=said, at=at, speaker=self.speaker, source=self.dia_id)


class _LocomoSession(_Shape):
    date_time: _Date | None = None
    utterances: list[_Utterance]


class _LocomoConversation(_Shape):
    sessions: dict[int, _LocomoSession]

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


class _LocomoQuestion(_Shape):
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


class _LocomoSample(_Shape):
    sample_id: str
    conversation: _LocomoConversation
    qa: list[_LocomoQuestion]

    def dialogue(self) -> Dialogue:
        sessions = self.conversation.sessions.values()
        turns = tuple(one.turn(session.date_time) for session in sessions for one in session.utterances)
        places = {turn.source: place for place, turn in enumerate(turns)}
        asked = tuple(one.asked(f"{self.sample_id}-{number}", places) for number, one in enumerate(self.qa, 1))
        return Dialogue(self.sample_id, "", turns, asked)


class _Message(_Shape):
    role: str
    content: str
    has_answer: bool | None = None


@dataclass(frozen=True, slots=True)
class _SessionTurn:
    turn: DialogueTurn
    session: str
    has_answer: bool


class _LongMemEvalInstance(_Shape):
    question_id: str
    question_type: str
    question: str
    answer: str
    question_date: _Date | None = None
    haystack_session_ids: list[str]
    haystack_dates: list[_Date]
    haystack_sessions: list[list[_Message]]
    answer_session_ids: list[str]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not len(self.haystack_session_ids) == len(self.haystack_dates) == len(self.haystack_sessions):
            raise ValueError("haystack_sessions, haystack_session_ids and haystack_dates differ in length")
        return self

    def dialogue(self) -> Dialogue:
        found = [turn for session in self._by_date() for turn in _session_turns(*session)]
        question = DialogueQuestion(
            id=self.question_id,
            question=self.question,
            answer=self.answer,
            gold=self._gold(found),
            kind=self.question_type,
            answerable=not self.question_id.endswith(_UNANSWERABLE),
            at=self.question_date,
        )
        return Dialogue(self.question_id, "", tuple(one.turn for one in found), (question,))

    def _by_date(self) -> list[tuple[str, datetime, list[_Message]]]:
        sessions = zip(self.haystack_session_ids, self.haystack_dates, self.haystack_sessions, strict=True)
        return sorted(sessions, key=lambda session: session[1])

    def _gold(self, turns: Sequence[_SessionTurn]) -> tuple[int, ...]:
        marked = tuple(place for place, one in enumerate(turns) if one.has_answer)
        return marked or tuple(place for place, one in enumerate(turns) if one.session in self.answer_session_ids)


def _format_of(value: JsonValue) -> str | None:
    match value:
        case {"conversation": _} | {"qa": _}:
            return "LoCoMo"
        case {"haystack_sessions": _}:
            return "LongMemEval"
        case _:
            return None


_Sample: TypeAlias = Annotated[
    Annotated[_LocomoSample, Tag("LoCoMo")] | Annotated[_LongMemEvalInstance, Tag("LongMemEval")],
    Discriminator(_format_of, custom_error_type="format", custom_error_message="this is of no known format"),
]

_SCM_DIALOGUES = TypeAdapter(list[_ScmDialogue])
_SCM_QUESTIONS = TypeAdapter(list[_ScmQuestion])
_GOLD = TypeAdapter(_GoldFile)
_LOCOMO = TypeAdapter(list[_LocomoSample])
_LONGMEMEVAL = TypeAdapter(list[_LongMemEvalInstance])
_SAMPLES: TypeAdapter[list[_LocomoSample | _LongMemEvalInstance]] = TypeAdapter(list[_Sample])


def read_dialogues(path: Path, gold: Path | None = None) -> list[Dialogue]:
    """The dialogues of a folder or file in any of the known formats, which is told by what it holds.

    Raises `UnsupportedDocumentError`, naming the formats, where it is in none of them, other `DocumentError`s where it
    cannot be read or breaks its format, and `ConfigError` for gold turns of a format that has its own.
    """
    if path.is_dir():
        return read_scm(path, gold)
    try:
        samples = _SAMPLES.validate_json(read_file(path))
    except ValidationError as error:
        raise _unreadable(error, path) from error
    if gold is not None:
        raise ConfigError(f"{path} tells its evidence itself: gold turns are for dialogues of SCM4LLMs only")
    return _some([sample.dialogue() for sample in samples], path)


def read_scm(folder: Path, gold: Path | None = None) -> list[Dialogue]:
    """The dialogues of SCM4LLMs: `dialogue_en.json` with `questions_en.json`, and the like of other languages.

    Messages of user and assistant alternate, so a turn is a pair. The set has no gold turns: these come from another
    file, `{"questions": {question id: {"gold": [turns from 0], "also": [...]}}}`. Kinds are `single-turn` and
    `multi-turn`. Raises `DocumentError`.
    """
    files = sorted(folder.glob("dialogue_*.json"))
    if not files:
        raise UnsupportedDocumentError(f"has no dialogue_en.json; known are {KNOWN_FORMATS}", source=str(folder))
    places = _read(gold, _GOLD).questions if gold else {}
    found = [dialogue for file in files for dialogue in _scm_dialogues(file, places)]
    if gold:
        _check_places(found, gold)
    return _some(found, folder)


def read_locomo(path: Path) -> list[Dialogue]:
    """The dialogues of LoCoMo, such as `locomo10.json`. Raises `DocumentError`.

    Two people talk, so a turn is one utterance, "Name: text", with the caption of a picture that was sent. Evidence is
    repaired where several names stand in one ("D8:6; D9:17") or one is misspelt ("D:11:26", "D30:05"); what names no
    turn is left out. Of an adversarial question, which says of one speaker what the other one said, the evidence is
    where that was said. References of open-domain questions go on after a semicolon, which the authors do not score.
    """
    return _some([sample.dialogue() for sample in _read(path, _LOCOMO)], path)


def read_longmemeval(path: Path) -> list[Dialogue]:
    """The instances of LongMemEval, such as `longmemeval_s.json`: a dialogue each. Raises `DocumentError`.

    A turn is a message of the user with the assistant's answer; any other message is a turn by itself, and one that
    says nothing is none. It is named as the authors name it: session, and number of its first message from 1. Sessions
    come by date, since some files have them in disorder; a few are later than the question. Gold are the turns marked
    with `has_answer`; where none is, as in some questions that are not answerable, all turns of the sessions named.
    """
    return _some([instance.dialogue() for instance in _read(path, _LONGMEMEVAL)], path)


def _scm_dialogues(path: Path, places: Mapping[str, _GoldTurns]) -> Iterator[Dialogue]:
    language = path.stem.removeprefix("dialogue_")
    dialogues = _read(path, _SCM_DIALOGUES)
    beside = path.with_name(f"questions_{language}.json")
    asked = _read(beside, _SCM_QUESTIONS)
    if strange := {one.id for one in asked} - {one.id for one in dialogues}:
        raise MalformedDocumentError(f"asks about dialogues that are not there: {sorted(strange)}", source=str(beside))
    for one in dialogues:
        questions = tuple(_scm_question(question, places) for question in asked if question.id == one.id)
        yield Dialogue(one.id, language, tuple(_scm_turns(one.dialogue)), questions)


def _scm_turns(messages: Sequence[str]) -> Iterator[DialogueTurn]:
    for said, answered in zip_longest(messages[::2], messages[1::2], fillvalue=""):
        yield DialogueTurn(observation=said, response=answered)


def _scm_question(question: _ScmQuestion, places: Mapping[str, _GoldTurns]) -> DialogueQuestion:
    known = places.get(question.question_id, _GoldTurns())
    return DialogueQuestion(
        id=question.question_id,
        question=question.question,
        answer=question.answer,
        gold=known.gold,
        also=known.also,
        kind=question.mode,
    )


def _check_places(dialogues: Iterable[Dialogue], gold: Path) -> None:
    for dialogue in dialogues:
        for question in dialogue.questions:
            if any(place >= len(dialogue.turns) for place in (*question.gold, *question.also)):
                reason = f"names turns for {question.id} that are not there: {dialogue.id} has {len(dialogue.turns)}"
                raise MalformedDocumentError(reason, source=str(gold))


def _cited(evidence: Iterable[str], places: Mapping[str, int]) -> tuple[int, ...]:
    names = [name for cited in evidence for name in ([cited] if cited in places else _repaired(cited))]
    return tuple(sorted({places[name] for name in names if name in places}))


def _repaired(cited: str) -> list[str]:
    return [f"D{int(session)}:{int(number)}" for session, number in _EVIDENCE.findall(cited)]


def _session_turns(session: str, at: datetime, messages: Sequence[_Message]) -> Iterator[_SessionTurn]:
    for number, pair in _paired(messages):
        said, answered = pair[0], pair[1] if len(pair) > 1 else None
        turn = DialogueTurn(
            observation=said.content,
            response=answered.content if answered else "",
            at=at,
            speaker=said.role,
            responder=answered.role if answered else "",
            source=f"{session}_{number}",
        )
        if turn.observation.strip() or turn.response.strip():
            yield _SessionTurn(turn, session, has_answer=any(message.has_answer for message in pair))


def _paired(messages: Sequence[_Message]) -> Iterator[tuple[int, Sequence[_Message]]]:
    """Messages with their answers, numbered from 1 by the first of both."""
    start = 0
    while start < len(messages):
        pair = messages[start : start + 2]
        if [message.role for message in pair] != ["user", "assistant"]:
            pair = pair[:1]
        yield start + 1, pair
        start += len(pair)


def _some(dialogues: list[Dialogue], path: Path) -> list[Dialogue]:
    if not dialogues:
        raise EmptyDocumentError("holds no dialogue", source=str(path))
    return dialogues


def _read(path: Path, shape: TypeAdapter[_Read]) -> _Read:
    try:
        return shape.validate_json(read_file(path))
    except ValidationError as error:
        raise MalformedDocumentError(_told(error), source=str(path)) from error


def _unreadable(error: ValidationError, path: Path) -> DocumentError:
    """What is wrong deep inside a sample is wrong with a known format."""
    if len(error.errors()[0]["loc"]) > 1:
        return MalformedDocumentError(_told(error), source=str(path))
    return UnsupportedDocumentError(f"{_told(error)}; known are {KNOWN_FORMATS}", source=str(path))


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "value"
    return f"is not as it should be: {place}: {first['msg']}"
