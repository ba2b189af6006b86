"""The dialogues of SCM4LLMs; which turns hold the evidence comes from a file of its own, if there is one.

Source: Wang et al., "Self-Controlled Memory" (2023), github wbbeyourself/SCM4LLMs. Owns reading the published files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from pydantic import NonNegativeInt, TypeAdapter

from longdoc.errors import MalformedDocumentError, UnsupportedDocumentError
from longdoc.evaluation.dialogue import Dialogue, DialogueQuestion, DialogueTurn
from longdoc.evaluation.dialogue_files import KNOWN_FORMATS, Shape, read_shape, require_some


class _Dialogue(Shape):
    id: str
    dialogue: list[str]


class _Question(Shape):
    question_id: str
    id: str
    mode: str
    question: str
    answer: str


class _GoldTurns(Shape):
    gold: tuple[NonNegativeInt, ...] = ()
    also: tuple[NonNegativeInt, ...] = ()


class _GoldFile(Shape):
    questions: dict[str, _GoldTurns]


_DIALOGUES = TypeAdapter(list[_Dialogue])
_QUESTIONS = TypeAdapter(list[_Question])
_GOLD = TypeAdapter(_GoldFile)


def read_scm(folder: Path, gold: Path | None = None) -> list[Dialogue]:
    """The dialogues of SCM4LLMs: `dialogue_en.json` with `questions_en.json`, and the like of other languages.

    Messages of user and assistant alternate, so a turn is a pair. The set has no gold turns: these come from another
    file, `{"questions": {question id: {"gold": [turns from 0], "also": [...]}}}`. Kinds are `single-turn` and
    `multi-turn`. Raises `DocumentError`.
    """
    files = sorted(folder.glob("dialogue_*.json"))
    if not files:
        raise UnsupportedDocumentError(f"has no dialogue_en.json; known are {KNOWN_FORMATS}", source=str(folder))
    places = read_shape(gold, _GOLD).questions if gold else {}
    found = [dialogue for file in files for dialogue in _dialogues(file, places)]
    if gold:
        _check_places(found, gold)
    return require_some(found, folder)


def _dialogues(path: Path, places: Mapping[str, _GoldTurns]) -> Iterator[Dialogue]:
    language = path.stem.removeprefix("dialogue_")
    dialogues = read_shape(path, _DIALOGUES)
    beside = path.with_name(f"questions_{language}.json")
    asked = read_shape(beside, _QUESTIONS)
    if strange := {one.id for one in asked} - {one.id for one in dialogues}:
        raise MalformedDocumentError(f"asks about dialogues that are not there: {sorted(strange)}", source=str(beside))
    for one in dialogues:
        questions = tuple(_asked(question, places) for question in asked if question.id == one.id)
        yield Dialogue(one.id, language, tuple(_turns(one.dialogue)), questions)


def _turns(messages: Sequence[str]) -> Iterator[DialogueTurn]:
    for said, answered in zip_longest(messages[::2], messages[1::2], fillvalue=""):
        yield DialogueTurn(observation=said, response=answered)


def _asked(question: _Question, places: Mapping[str, _GoldTurns]) -> DialogueQuestion:
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
