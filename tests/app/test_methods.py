"""Which method is taken, and why: as asked, by size, by what comparisons measured, by the literature."""

from dataclasses import replace

import pytest

from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.app.methods import AUTO, MethodChoice, MethodVariant, choose_method, parse_variant
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError
from longdoc.storage.evaluations import MethodScore

INFO = EngineInfo("e", "m", "m@1", context_window=8192)
SHORT, LONG = 4_000, 100_000
"""In tokens."""


def document(tokens: int) -> Document:
    return Document("d", "abc " * tokens, "text")


def score(
    method: str, coherence: float | None, *, book: str = "a", size: int = LONG, tokens: int = 1000
) -> MethodScore:
    return MethodScore(
        model="m@1",
        method=method,
        document_id=book,
        document_tokens=size,
        run_id="r",
        tokens=tokens,
        seconds=1.0,
        judge="m@1",
        protocol="batch",
        prompt="judge/batch.v1",
        coherence=coherence,
    )


def choose(
    *measured: MethodScore,
    asked: str = AUTO,
    tokens: int = LONG,
    words: int | None = None,
    by_chapter: bool = False,
    merge_context: MergeContext = MergeContext.CHILD,
) -> MethodChoice:
    return choose_method(
        asked,
        document(tokens),
        INFO,
        words=words,
        by_chapter=by_chapter,
        merge_context=merge_context,
        measured=measured,
    )


BETTER = (score("hierarchical", 0.7), score("incremental", 0.9))


def test_what_is_asked_for_is_taken_whatever_was_measured() -> None:
    assert choose(*BETTER, asked="scm") == MethodChoice("scm", "as asked for")


def test_one_call_where_the_text_fits() -> None:
    assert choose(tokens=SHORT) == MethodChoice("full", "about 4,000 tokens fit one call in a window of 8,192")


def test_what_is_not_the_work_itself_does_not_count() -> None:
    text = "abc " * LONG
    notes = Section("Notes", SHORT * 4, len(text), SectionRole.NOTES)
    book = Document("d", text, "text", sections=(notes,))
    assert choose_method(AUTO, book, INFO, words=None, by_chapter=False).name == "full"


def test_merging_where_it_does_not_fit_and_nothing_was_measured() -> None:
    choice = choose()
    assert choice.name == "hierarchical"
    assert "do not fit one call in a window of 8,192, and merging has measured as more coherent" in choice.reason
    assert not choice.measured


@pytest.mark.parametrize(("words", "by_chapter", "why"), [(2000, False, "2,000 words"), (None, True, "chapters")])
def test_what_only_merging_can_do_is_not_a_question_of_measuring(words: int | None, by_chapter: bool, why: str) -> None:
    choice = choose(*BETTER, words=words, by_chapter=by_chapter)
    assert choice.name == "hierarchical"
    assert why in choice.reason


def test_the_most_coherent_method_of_those_compared_is_taken_with_its_figures() -> None:
    choice = choose(
        *(score("hierarchical", value, book=book) for book, value in (("a", 0.80), ("b", 0.82))),
        *(score("incremental", value, book=book) for book, value in (("a", 0.90), ("b", 0.84))),
    )
    assert (choice.name, choice.measured) == ("incremental", True)
    assert choice.reason.endswith(
        "incremental measured as the most coherent: 0.87 against 0.81 for hierarchical over 2 books you compared with "
        "this model"
    )


def test_only_books_that_all_compared_methods_share_count() -> None:
    choice = choose(*BETTER, score("hierarchical", 1.0, book="b"), score("scm", 0.8))
    assert choice.name == "incremental"
    assert "0.90 against 0.80 for scm and 0.70 for hierarchical over 1 book " in choice.reason


def test_methods_that_share_no_book_are_left_out() -> None:
    assert choose(*BETTER, score("scm", 1.0, book="b")).name == "incremental"
    assert not choose(BETTER[0], replace(BETTER[1], document_id="b")).measured


@pytest.mark.parametrize(
    "changed",
    [
        {"protocol": "sentence"},
        {"judge": "another"},
        {"prompt": "judge/batch.v2"},
        {"words": 100},
        {"settings": {"focus": "money"}},
    ],
)
def test_only_what_was_measured_alike_is_compared(changed: dict[str, object]) -> None:
    other = replace(BETTER[1], **changed)  # pyright: ignore[reportArgumentType]
    assert not choose(BETTER[0], other).measured


@pytest.mark.parametrize(
    "changed", [{"toy": True}, {"gaps": 1}, {"coherence": None}, {"document_tokens": LONG * 4 + 1}]
)
def test_noise_gaps_and_books_of_another_size_say_nothing(changed: dict[str, object]) -> None:
    measured = [replace(row, **changed) for row in BETTER]  # pyright: ignore[reportArgumentType]
    assert choose(*measured) == choose()


@pytest.mark.parametrize("size", [LONG * 4, LONG // 4])
def test_books_within_a_factor_of_four_are_comparable(size: int) -> None:
    assert choose(*(replace(row, document_tokens=size) for row in BETTER)).name == "incremental"


def test_the_newest_of_what_was_measured_alike_counts() -> None:
    newest = replace(BETTER[1], coherence=0.1)
    assert choose(newest, *BETTER).name == "hierarchical"


def test_of_equals_the_one_with_fewer_tokens_is_taken() -> None:
    choice = choose(score("hierarchical", 0.9, tokens=1200), score("incremental", 0.9, tokens=900))
    assert choice.name == "incremental"
    assert choice.reason.endswith(
        "0.90 against 0.90 for hierarchical over 1 book you compared with this model, with fewer tokens than "
        "hierarchical"
    )
    alike = choose(score("incremental", 0.9), score("hierarchical", 0.9))
    assert alike.name == "hierarchical"
    assert alike.reason.endswith("this model")


def test_figures_that_differ_look_different() -> None:
    assert "0.9010 against 0.9000" in choose(score("hierarchical", 0.9), score("incremental", 0.901)).reason


def test_one_call_wins_where_it_fits_unless_it_was_measured_as_worse() -> None:
    near = [replace(row, document_tokens=SHORT) for row in BETTER]
    assert choose(*near, tokens=SHORT) == choose(tokens=SHORT)
    choice = choose(*near, score("full", 0.8, size=SHORT), tokens=SHORT)
    assert choice.name == "incremental"
    assert "4,000 tokens fit one call in a window of 8,192, but incremental measured" in choice.reason
    assert choose(*near, score("full", 0.95, size=SHORT), tokens=SHORT).name == "full"


def test_one_call_is_not_taken_where_the_text_does_not_fit() -> None:
    assert choose(*BETTER, score("full", 1.0)).name == "incremental"


def test_a_merge_context_is_taken_with_its_method_unless_another_was_asked_for() -> None:
    measured = (*BETTER, score("hierarchical:previous", 0.95))
    choice = choose(*measured)
    assert (choice.name, choice.context, choice.label) == (
        "hierarchical",
        MergeContext.PREVIOUS,
        "hierarchical:previous",
    )
    asked = choose(BETTER[0], score("hierarchical:previous", 0.1), merge_context=MergeContext.PREVIOUS)
    assert (asked.context, asked.measured) == (MergeContext.PREVIOUS, False)


@pytest.mark.parametrize("label", ["full", "hierarchical", "hierarchical:previous", "scm"])
def test_a_variant_is_written_as_it_is_read(label: str) -> None:
    assert parse_variant(label).label == label


def test_the_default_context_needs_no_name() -> None:
    assert parse_variant("hierarchical:child") == MethodVariant("hierarchical")


@pytest.mark.parametrize("label", ["magic", "auto", "", "scm:previous", "hierarchical:next", "hierarchical:"])
def test_what_is_no_method_is_refused(label: str) -> None:
    with pytest.raises(ConfigError, match="there is no method"):
        parse_variant(label)
