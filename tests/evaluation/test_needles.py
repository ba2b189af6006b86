"""What needles say: names that nobody else has, questions with one answer, paraphrases that share no word."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from longdoc.errors import ConfigError
from longdoc.evaluation.needles import NeedleKind, plan_needles
from longdoc.evaluation.paraphrases import PARAPHRASES
from longdoc.evaluation.planted import DEPTHS, CasePlan
from longdoc.retrieval.common_words import COMMON_WORDS
from longdoc.retrieval.lexical_overlap import wording_of

_WORD = re.compile(r"[a-z]+")
_COMMON_STEMS = wording_of(" ".join(sorted(COMMON_WORDS))).terms


def plans(*kinds: NeedleKind, each: int = 5, seed: int = 0) -> list[CasePlan]:
    return plan_needles(kinds or tuple(NeedleKind), each=each, seed=seed)


def content_words(text: str) -> set[str]:
    return set(_WORD.findall(text.replace("{name}", "").lower())) - COMMON_WORDS


def content_stems(text: str) -> set[str]:
    words = " ".join(sorted(content_words(text)))
    return set(wording_of(words).terms) - _COMMON_STEMS


def test_there_are_enough_paraphrases_for_five_at_each_depth_of_one_text() -> None:
    assert len(set(PARAPHRASES)) == len(PARAPHRASES) >= 60
    assert len({question for _, question in PARAPHRASES}) == len(PARAPHRASES)


@pytest.mark.parametrize(("fact", "question"), PARAPHRASES)
def test_a_paraphrase_shares_no_content_word_with_its_question(fact: str, question: str) -> None:
    assert fact.startswith("{name} ")
    assert not content_words(fact) & content_words(question)
    assert not content_stems(fact) & content_stems(question)
    beginnings = {word[:4] for word in content_words(fact)}, {word[:4] for word in content_words(question)}
    assert not beginnings[0] & beginnings[1]


def test_no_question_shares_a_content_word_with_any_other_paraphrase() -> None:
    facts = set[str]().union(*(content_stems(fact) for fact, _ in PARAPHRASES))
    questions = set[str]().union(*(content_stems(question) for _, question in PARAPHRASES))
    assert not facts & questions


def test_there_are_as_many_cases_of_each_kind_at_each_depth_as_asked_for() -> None:
    counts = Counter((plan.kind, plan.needles[0].depth) for plan in plans(each=3))
    assert counts == {(kind, depth): 3 for kind in NeedleKind for depth in DEPTHS}


def test_ids_and_what_is_planted_are_said_once() -> None:
    found = plans(each=20)
    assert len({plan.id for plan in found}) == len(found)
    needles = [needle.text for plan in found for needle in plan.planted]
    assert len(set(needles)) == len(needles)


def test_no_needle_answers_the_question_of_another() -> None:
    """Every name and number of an answer stands in the needles of its own case only, as does whom a question names."""
    found = [plan for plan in plans() if plan.kind not in {NeedleKind.PLAIN, NeedleKind.PARAPHRASE}]
    for plan in found:
        others = " ".join(needle.text for other in found if other is not plan for needle in other.planted)
        assert not any(re.search(rf"\b{answer}\b", others) for answer in plan.answers)
        assert not any(re.search(rf"\b{answer}\b", decoy.text) for answer in plan.answers for decoy in plan.decoys)


def test_the_answer_stands_in_the_needle_and_not_in_the_question() -> None:
    for plan in plans():
        assert plan.answers[0] in plan.needles[-1].text
        assert not any(re.search(rf"\b{re.escape(answer)}\b", plan.question) for answer in plan.answers)


def test_a_bridge_needs_both_facts_far_from_each_other() -> None:
    for plan in plans(NeedleKind.BRIDGE):
        first, second = plan.needles
        assert abs(first.depth - second.depth) > 0.09
        asked = {word for word in re.findall(r"\b[A-Z]\w+", plan.question) if word in first.text} - {"From", "Who"}
        assert asked, plan.question
        assert not any(word in second.text for word in asked)
        assert plan.answers[0] not in first.text


def test_decoys_have_the_form_of_the_needle_with_other_names_and_numbers() -> None:
    for plan in plans(NeedleKind.DECOYS):
        (needle,) = plan.needles
        assert len(plan.decoys) == 3
        forms = {re.sub(r"\d+|\b[A-Z]\w+ [A-Z]\w+\b", "_", planted.text) for planted in plan.planted}
        assert len({form.replace("In the ledger _", "_") for form in forms}) == 1
        names = set(re.findall(r"[A-Z]\w+", plan.question)[1:])
        shared = [len(names & set(re.findall(r"[A-Z]\w+", decoy.text))) for decoy in plan.decoys]
        assert max(shared) == 1, (needle.text, plan.decoys)
        assert len({planted.depth for planted in plan.planted}) == 4


def test_needles_come_from_the_seed() -> None:
    assert plans(seed=3) == plans(seed=3)
    assert plans(seed=3) != plans(seed=4)


def test_names_to_be_avoided_are_not_given() -> None:
    taken = {name.lower() for plan in plans(NeedleKind.PARAPHRASE) for name in plan.answers[1:]}
    again = plan_needles((NeedleKind.PARAPHRASE,), each=5, seed=0, avoid=taken)
    assert not taken & {name.lower() for plan in again for name in plan.answers[1:]}


@pytest.mark.parametrize("each", [0, 1000])
def test_too_few_and_too_many_are_refused(each: int) -> None:
    with pytest.raises(ConfigError, match="ask for between"):
        plans(each=each)
