"""A dialogue with questions about what was said in it: what a memory is measured on.

Owns the values; reading published sets into them, asking, recalling and scoring are left to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
