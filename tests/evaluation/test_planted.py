"""Planted needles: where they should be, said once, in texts of the length asked for, the same from the same seed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError
from longdoc.evaluation.answer_match import score_anywhere
from longdoc.evaluation.filler import Filler, filler_of
from longdoc.evaluation.gold import GoldText
from longdoc.evaluation.needles import NeedleKind, plan_needles
from longdoc.evaluation.planted import CasePlan, Needle, plant

KINDS = tuple(NeedleKind)
_SENTENCES = (
    "The river rose, and nobody knew why. Boats drifted past the mill all night. In the morning it was over.",
    "“Stay!” she cried. “There is nothing for you there.” He went all the same, as he had always gone.",
    "It was a long winter; the roads were closed, the wells were frozen, and the school had no wood to burn.",
)


def document(*blocks: str, title: str = "The Mill") -> Document:
    builder = DocumentBuilder("text", f"{title}.txt")
    builder.open_section("Imprint", role=SectionRole.LICENCE)
    builder.add_block("All rights reserved by nobody.")
    builder.close_section()
    builder.open_section(title)
    builder.add_block(title, BlockKind.HEADING, level=1)
    for block in blocks:
        builder.add_block(block)
    return builder.build()


def mill() -> Filler:
    return filler_of([document(*(f"{number}. {text}" for number in range(40) for text in _SENTENCES))])


def texts(length: int, *, each: int = 1, seed: int = 0, kinds: Sequence[NeedleKind] = KINDS) -> list[GoldText]:
    filler = mill()
    plans = plan_needles(kinds, each=each, seed=seed, avoid=filler.words)
    return list(plant(filler, plans, length=length, seed=seed))


def planted(text: GoldText) -> list[str]:
    """Everything that was planted in a text."""
    return [text.document.text[a:b] for case in text.cases for a, b in (*case.spans, *case.decoys)]


_BLOCKS = st.lists(
    st.one_of(
        st.sampled_from(_SENTENCES),
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=400),
        st.text("あいう。", min_size=1, max_size=200),
        st.text("ab ", min_size=1, max_size=3000),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30)
@given(_BLOCKS, st.integers(1000, 20_000), st.integers(0, 99), st.sampled_from((None, 1, 3)))
def test_whatever_the_filler_each_case_stands_once_where_it_says_at_its_depth_in_a_text_of_its_length(
    blocks: list[str], length: int, seed: int, most: int | None
) -> None:
    filler = filler_of([document("There was a mill.", *blocks)])
    plans = plan_needles(KINDS, each=1, seed=seed, avoid=filler.words)
    wanted = {needle.text for plan in plans for needle in plan.planted}
    found = list(plant(filler, plans, length=length, seed=seed, most=most))
    assert sorted(case.id for text in found for case in text.cases) == sorted(f"{plan.id}/{length}" for plan in plans)
    assert sorted(needle for text in found for needle in planted(text)) == sorted(wanted)
    for text in found:
        whole = text.document.text
        assert estimate_tokens(whole) == pytest.approx(length, rel=0.02)
        assert all(whole.count(needle) == 1 for needle in planted(text))
        for case in text.cases:
            assert case.depth is not None
            assert case.spans[0][0] / len(whole) == pytest.approx(case.depth, abs=0.09)


def test_the_same_seed_gives_the_same_texts_and_another_one_others() -> None:
    first, again, other = texts(4000), texts(4000), texts(4000, seed=1)
    assert [text.document.id for text in first] == [text.document.id for text in again]
    assert [text.cases for text in first] == [text.cases for text in again]
    assert not {text.document.id for text in first} & {text.document.id for text in other}


def test_cases_are_the_same_at_every_length_but_for_where_they_stand() -> None:
    short, long = texts(4000), texts(250_000)
    questions = [{case.question: case.answers for text in found for case in text.cases} for found in (short, long)]
    assert questions[0] == questions[1]
    assert len(long) == 1


def test_needles_of_a_long_text_keep_their_distance() -> None:
    (text,) = texts(500_000, each=2)
    spans = sorted(span for case in text.cases for span in (*case.spans, *case.decoys))
    gaps = [b[0] - a[1] for a, b in pairwise(spans)]
    assert min(gaps) > 4 * 512 * 0.5


def test_needles_stand_between_sentences_and_headings_stay_as_they_are() -> None:
    for text in texts(8000):
        whole = text.document.text
        for start, _ in (span for case in text.cases for span in case.spans):
            before = whole[:start].rstrip()
            assert not before or before[-1] in ".!?”" or before.endswith("\n\nThe Mill"), before[-40:]
        headings = [b for b in text.document.blocks if b.kind is BlockKind.HEADING]
        assert {whole[b.start : b.end] for b in headings} <= {"The Mill"}


def test_front_matter_is_no_filler() -> None:
    assert all("rights reserved" not in text.document.text for text in texts(4000))


def test_a_text_says_how_it_was_made() -> None:
    recipe = texts(4000)[0].recipe
    assert recipe is not None
    assert (recipe.generator, recipe.version, recipe.source, recipe.seed) == ("planted", 2, mill().identity, 0)


def test_short_texts_begin_in_different_places() -> None:
    found = texts(2000, each=3)
    assert len({text.document.text[:60] for text in found}) > len(found) // 2


def test_cases_of_one_topic_never_share_a_text() -> None:
    plans = [CasePlan(str(i), "x", "Who?", ("Ada",), (Needle(f"Fact {i}.", i / 10),), topic="who") for i in range(3)]
    assert [len(text.cases) for text in plant(mill(), plans, length=4000, seed=0)] == [1, 1, 1]


def test_wrong_answers_are_those_of_the_decoys_else_those_of_the_other_cases_of_the_text() -> None:
    plans = [
        CasePlan("a", "x", "Whose?", ("Ada", "A."), (Needle("It is Ada's, not a moth.", 0.1),)),
        CasePlan("b", "x", "What?", ("moth",), (Needle("It is a moth.", 0.3),)),
        CasePlan("c", "x", "Who?", ("Bea",), (Needle("It is Bea.", 0.5),), (Needle("It is Cy.", 0.8),), "", ("Cy",)),
        CasePlan("d", "x", "Which moth?", ("moth",), (Needle("It is the moth.", 1.0),)),
    ]
    (text,) = plant(mill(), plans, length=8000, seed=0)
    assert [case.wrong_answers for case in text.cases] == [
        ("Bea",),
        ("Ada", "A.", "Bea"),
        ("Cy",),
        ("Ada", "A.", "Bea"),
    ]


def test_a_reply_that_copies_every_needle_answers_no_question_about_decoys_or_bridges() -> None:
    for text in texts(8000, kinds=(NeedleKind.DECOYS, NeedleKind.BRIDGE)):
        copied = " ".join(planted(text))
        assert not any(score_anywhere(copied, case).right for case in text.cases)
        for case in text.cases:
            own = " ".join(text.document.text[a:b] for a, b in case.spans)
            assert score_anywhere(own, case).right


@pytest.mark.parametrize("length", [0, 999])
def test_too_short_a_text_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match="at least 1000"):
        texts(length)


def test_needles_longer_than_the_text_are_refused() -> None:
    plan = CasePlan("long", "x", "Who?", ("Ada",), (Needle("word " * 2000 + "end.", 0.5),))
    with pytest.raises(ConfigError, match="longer texts"):
        list(plant(mill(), [plan], length=1000, seed=0))


def test_without_running_text_there_is_nothing_to_plant_in() -> None:
    builder = DocumentBuilder("text", "table.txt")
    builder.add_block("a\tb", BlockKind.TABLE)
    with pytest.raises(ConfigError, match="no running text"):
        filler_of([builder.build()])


def test_memory_is_little_more_than_the_text() -> None:
    """Characters of this filler take two bytes: the text, what is kept for each of its blocks, and little else."""
    filler = filler_of([document(*(" ".join(_SENTENCES) for _ in range(20)))])
    plans = plan_needles((NeedleKind.PASSKEY,), each=1, seed=0)
    tracemalloc.start()
    (text,) = plant(filler, plans, length=2_000_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * 2 * len(text.document.text) + 4_000_000
