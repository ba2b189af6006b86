"""Whether a reply gives the answer: exact match of what was asked for.

What a reply says beside the answer is not judged, unless it is the answer to another question of the same text: who
copies out all that looks like an answer has found none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from longdoc.evaluation.gold import GoldCase

_OPENING = re.compile(r"^\W+")


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """How right a reply is: `share` of the answers asked for that it gives, `right` where that is all of them."""

    share: float

    @property
    def right(self) -> bool:
        """Whether everything asked for is there."""
        return self.share == 1.0


WRONG = AnswerScore(0.0)
"""What no reply is worth."""


def score_anywhere(reply: str, case: GoldCase) -> AnswerScore:
    """For needles: the answer stands anywhere in the reply, as a whole word, in whatever case."""
    return _score(reply, case, [holds_word(reply, answer) for answer in case.answers])


def score_start(reply: str, case: GoldCase) -> AnswerScore:
    """For threads: the reply begins with the answer, but for quotation marks and the like.

    Of several values that are all asked for each may stand anywhere, since one at most can stand at the beginning.
    """
    if case.all_answers and len(case.answers) > 1:
        return score_anywhere(reply, case)
    start = _OPENING.sub("", reply)
    return _score(reply, case, [_begins_with(start, answer) for answer in case.answers])


def holds_word(text: str, word: str) -> bool:
    """Whether a text holds a word, or words, not as a part of longer ones, in whatever case and spacing."""
    pattern = r"\s+".join(map(re.escape, word.split()))
    return re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) is not None


def _begins_with(text: str, word: str) -> bool:
    return re.match(rf"{re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _score(reply: str, case: GoldCase, found: list[bool]) -> AnswerScore:
    if any(holds_word(reply, wrong) for wrong in case.wrong_answers):
        return WRONG
    if case.all_answers:
        return AnswerScore(sum(found) / len(found) if found else 0.0)
    return AnswerScore(float(any(found)))
