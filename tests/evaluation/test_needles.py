"""What needles say: names that nobody else has, questions with one answer, paraphrases that share no word."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest

from longdoc.errors import ConfigError
from longdoc.evaluation.needles import NeedleKind, plan_needles
from longdoc.evaluation.paraphrases import PARAPHRASES, Paraphrase, paraphrases_beside
from longdoc.evaluation.planted import DEPTHS, CasePlan
from longdoc.retrieval.common_words import COMMON_WORDS
from longdoc.retrieval.lexical_overlap import wording_of
from longdoc.retrieval.terms import index_terms, question_terms
from tests.evaluation.published_sets import DATA, needs

BOOKS = DATA / "books" / "text"
_WORD = re.compile(r"[a-z]+")
_COMMON_STEMS = wording_of(" ".join(sorted(COMMON_WORDS))).terms


def terms_shared(first: str, second: str, *, without: str) -> set[str]:
    """What two texts share and a third one has not."""
    return set(index_terms(first)) & set(index_terms(second)) - set(index_terms(without))


def plans(*kinds: NeedleKind, each: int = 5, seed: int = 0) -> list[CasePlan]:
    return plan_needles(kinds or tuple(NeedleKind), each=each, seed=seed)


def content_words(text: str) -> set[str]:
    return set(_WORD.findall(text.replace("{name}", "").lower())) - COMMON_WORDS


def content_stems(text: str) -> set[str]:
    """By the two stemmers that search and comparison go by."""
    words = " ".join(sorted(content_words(text)))
    return (set(wording_of(words).terms) | set(index_terms(words))) - _COMMON_STEMS


def test_there_are_enough_paraphrases_for_five_at_each_depth_of_one_text() -> None:
    assert len({one.fact for one in PARAPHRASES}) == len(PARAPHRASES) >= 60
    assert len({one.question for one in PARAPHRASES}) == len(PARAPHRASES)
    assert len({one.topic for one in PARAPHRASES}) >= 55


@pytest.mark.parametrize("one", PARAPHRASES, ids=lambda one: one.telling)
def test_a_paraphrase_shares_no_content_word_with_its_question(one: Paraphrase) -> None:
    assert one.fact.startswith("{name} ")
    assert one.telling in one.question
    assert not content_words(one.fact) & content_words(one.question)
    assert not content_stems(one.fact) & content_stems(one.question)
    fact, question = ({word[:4] for word in content_words(text)} for text in (one.fact, one.question))
    assert not fact & question


def test_no_question_shares_a_content_word_with_any_other_paraphrase() -> None:
    facts = set[str]().union(*(content_stems(one.fact) for one in PARAPHRASES))
    questions = set[str]().union(*(content_stems(one.question) for one in PARAPHRASES))
    assert not facts & questions


def test_a_question_whose_telling_word_the_text_has_is_not_asked() -> None:
    """The text may answer it; other forms of the word count, other words of the question do not."""
    words = {"goalkeepers", "tattooed", "blood", "who"}
    kept = {one.telling for one in paraphrases_beside(words)}
    assert {one.telling for one in PARAPHRASES} - kept == {"goalkeeper", "tattoo"}
    asked = {plan.question for plan in plan_needles((NeedleKind.PARAPHRASE,), each=20, seed=0, avoid=words)}
    assert asked == {one.question for one in PARAPHRASES if one.telling in kept}


def test_a_text_that_has_them_all_leaves_none_to_ask() -> None:
    words = {word.lower() for one in PARAPHRASES for word in content_words(one.question)}
    with pytest.raises(ConfigError, match="leave out that kind"):
        plan_needles((NeedleKind.PARAPHRASE,), each=1, seed=0, avoid=words)
    assert plan_needles((NeedleKind.BRIDGE,), each=1, seed=0, avoid=words)


def test_topics_come_again_only_after_all_of_them() -> None:
    topics = [one.topic for one in paraphrases_beside(frozenset())]
    different = len(set(topics))
    assert len(set(topics[:different])) == different < len(topics)


def test_facts_that_answer_each_others_questions_have_one_topic() -> None:
    topics = {plan.question: plan.topic for plan in plans(NeedleKind.PARAPHRASE, each=20)}
    assert topics["Who is a helicopter pilot?"] == topics["Who is employed in aviation?"] != ""
    assert topics["Who is a helicopter pilot?"] != topics["Who is a referee?"]


@needs(BOOKS)
@pytest.mark.parametrize("name", ["war-and-peace", "moby-dick", "frankenstein"])
def test_of_what_is_asked_old_novels_know_next_to_nothing(name: str) -> None:
    words = set(re.findall(r"[^\W\d_]+", (BOOKS / f"{name}.txt").read_text(encoding="utf-8").casefold()))
    kept = paraphrases_beside(words)
    assert len(kept) >= 0.9 * len(PARAPHRASES)
    assert not {one.telling.casefold() for one in kept} & words


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


def test_a_bridge_is_not_crossed_by_the_words_of_the_question() -> None:
    """Each fact has decoys with as many words of the question; only the link tells which second fact is meant."""
    for plan in plans(NeedleKind.BRIDGE):
        asked = set(question_terms(plan.question).terms)
        first, second, *decoys = (set(index_terms(planted.text)) for planted in plan.planted)
        assert [asked & decoy for decoy in decoys[1:]] == [asked & second] * 2, plan
        assert asked & decoys[0] < asked & first, "the other first fact lacks the name"
        (link,) = first & second - asked - set(index_terms(" ".join(COMMON_WORDS))) - decoys[0]
        assert not any(link in decoy for decoy in decoys)
        places = sorted(planted.depth for planted in plan.planted)
        assert min(b - a for a, b in pairwise(places)) > 0.09


def test_the_decoys_of_a_bridge_lead_from_another_name_to_a_wrong_answer() -> None:
    for plan in plans(NeedleKind.BRIDGE):
        facts = [needle.text for needle in plan.needles]
        other_first, *seconds = (decoy.text for decoy in plan.decoys)
        assert [wrong in text for wrong, text in zip(plan.wrong_answers, seconds, strict=True)] == [True, True]
        links = [terms_shared(other_first, text, without=" ".join(facts)) for text in seconds]
        assert [len(link) for link in links] == [1, 0], plan


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
        assert [wrong in decoy.text for wrong, decoy in zip(plan.wrong_answers, plan.decoys, strict=True)] == [True] * 3


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


@pytest.mark.parametrize("kind", NeedleKind)
def test_more_cases_of_one_kind_than_there_are_names_are_refused_too(kind: NeedleKind) -> None:
    with pytest.raises(ConfigError, match="between 1 and 136"):
        plans(kind, each=137)
    assert len(plans(kind, each=136)) == 136 * len(DEPTHS)
