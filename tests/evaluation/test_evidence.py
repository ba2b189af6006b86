"""Evidence given as text is found however it is spaced, and not by chance."""

import pytest

from longdoc.evaluation.evidence import evidence_recall, holds_evidence

SENTENCE = "The old mill by the river was sold to a stranger from the north in the last week of May."
TEXT = f"Nobody had lived there for years. {SENTENCE} He paid in gold. The river rose again that autumn."


@pytest.mark.parametrize(
    "evidence",
    [
        SENTENCE,
        SENTENCE.upper(),
        SENTENCE.replace(" ", ""),
        SENTENCE.replace(" ", "\n"),
        SENTENCE.replace("stranger", "foreigner"),
        SENTENCE.replace("The old mill", "The mill"),
    ],
)
def test_evidence_is_found_however_it_is_spaced_and_with_a_word_that_differs(evidence: str) -> None:
    assert holds_evidence(TEXT, evidence)


@pytest.mark.parametrize(
    "evidence",
    [
        "",
        " ",
        "The mill burned down.",
        " ".join(reversed(SENTENCE.split())),
        SENTENCE.replace("stranger", "foreigner").replace("sold", "given").replace("May", "June"),
    ],
)
def test_other_sentences_other_orders_and_too_many_differences_are_not_found(evidence: str) -> None:
    assert not holds_evidence(TEXT, evidence)


def test_words_far_apart_are_no_evidence() -> None:
    words = "He sold the mill"
    assert not holds_evidence(" and on and on and on ".join(words.split()), words)


def test_recall_is_the_share_found_in_any_text() -> None:
    assert evidence_recall([SENTENCE, "He paid in gold.", "He fled."], ["Nothing here.", TEXT]) == pytest.approx(2 / 3)


def test_no_evidence_is_an_error() -> None:
    with pytest.raises(ValueError, match="no evidence"):
        evidence_recall([], [TEXT])
