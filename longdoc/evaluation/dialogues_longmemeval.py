"""The dialogues of LongMemEval: sessions of a user with an assistant, some of which hold the evidence for a question.

Source: Wu et al., "LongMemEval" (ICLR 2025), github xiaowu0162/LongMemEval. Owns reading the published files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, model_validator

from longdoc.evaluation.dialogue import Dialogue, DialogueQuestion, DialogueTurn
from longdoc.evaluation.dialogue_files import Date, Shape, read_shape, require_some

_UNANSWERABLE = "_abs"


class _Message(Shape):
    role: str
    content: str
    has_answer: bool | None = None


@dataclass(frozen=True, slots=True)
class _SessionTurn:
    turn: DialogueTurn
    session: str
    has_answer: bool


class LongMemEvalInstance(Shape):
    """A question of the set with all sessions that it is asked after, as a file has it."""

    question_id: str
    question_type: str
    question: str
    answer: str
    question_date: Date | None = None
    haystack_session_ids: list[str]
    haystack_dates: list[Date]
    haystack_sessions: list[list[_Message]]
    answer_session_ids: list[str]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not len(self.haystack_session_ids) == len(self.haystack_dates) == len(self.haystack_sessions):
            raise ValueError("haystack_sessions, haystack_session_ids and haystack_dates differ in length")
        return self

    def dialogue(self) -> Dialogue:
        """The same as a dialogue, whose turns are messages with their answers."""
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


_INSTANCES = TypeAdapter(list[LongMemEvalInstance])


def read_longmemeval(path: Path) -> list[Dialogue]:
    """The instances of LongMemEval, such as `longmemeval_s.json`: a dialogue each. Raises `DocumentError`.

    A turn is a message of the user with the assistant's answer; any other message is a turn by itself, and one that
    says nothing is none. It is named as the authors name it: session, and number of its first message from 1. Sessions
    come by date, since some files have them in disorder; a few are later than the question. Gold are the turns marked
    with `has_answer`; where none is, as in some questions that are not answerable, all turns of the sessions named.
    """
    return require_some([instance.dialogue() for instance in read_shape(path, _INSTANCES)], path)


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
