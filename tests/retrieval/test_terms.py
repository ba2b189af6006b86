"""What counts as the same term, in a text and in a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.retrieval.terms import Reference, index_terms, is_beginning, question_terms

ANY_TEXT = st.text(max_size=200)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("She was running home.", "Who runs?"),
        ("The Café of Élise", "the cafe of elise"),
        ("ﬁfty ＴＯＫＥＮＳ", "fifty tokens"),
        ("Hester’s letter", "hester"),
        ("l'homme", "homme"),
        ("a well-known face", "known"),
        ("Красивые дома", "красивый дом"),
        ("他在海边的灯塔里住", "灯塔"),
        ("한국어에서", "한국어"),
        ("ภาษาไทย", "ไทย"),
        ("वह घर आया था।", "था"),
        ("Chapter XII", "xii"),
        ("10,000 men", "10000"),
        ("Ge1:1 In the beginning", "Ge1:1"),
        ("Ge1:1 In the beginning", "1:1"),
        ("Ge1:1 In the beginning", "Ge"),
        ("see 3:16-18", "3:16"),
        ("covid-19", "covid 19"),
        ("the B‑52 bomber", "B-52"),
    ],
)
def test_a_question_finds_a_text_that_says_it_in_another_form(text: str, question: str) -> None:
    assert set(question_terms(question).terms) <= set(index_terms(text))


@pytest.mark.parametrize(
    ("pointed", "plain"),
    [
        ("בְּרֵאשִׁית בָּרָא", "בראשית ברא"),
        ("כָל־הָאָֽרֶץ׃", "כל־הארץ׃"),
        ("\ufb2a\ufb35ב", "שוב"),
        ("كِتَابٌ جَدِيدٌ", "كتاب جديد"),
        ("هٰذَا ٱلْقُرْآنُ", "هذا ٱلقرآن"),
        ("كـتـاب", "كتاب"),
    ],
)
def test_points_of_hebrew_and_vowels_of_arabic_make_no_other_terms(pointed: str, plain: str) -> None:
    assert index_terms(pointed) == index_terms(plain)
    assert question_terms(pointed) == question_terms(plain)


def test_words_of_pointed_texts_are_whole() -> None:
    assert index_terms("בְּרֵאשִׁית בָּרָא") == ["בראשית", "ברא"]
    assert index_terms("كِتَابٌ جَدِيدٌ") == ["كتاب", "جديد"]


def test_a_single_character_is_the_beginning_of_a_term_wherever_it_stands() -> None:
    (asked,) = question_terms("猫").terms
    assert is_beginning(asked)
    assert all(any(term.startswith(asked) for term in index_terms(text)) for text in ("猫がいる", "白い猫", "猫"))
    assert not is_beginning("a")


def test_common_words_count_only_where_nothing_else_is_asked() -> None:
    assert question_terms("Where did the whale go?").terms == ("whale",)
    assert question_terms("To be or not to be").terms == ("to", "be", "or", "not")


def test_a_term_is_asked_for_once() -> None:
    assert question_terms("whale, whales and the Whale").terms == ("whale",)


@pytest.mark.parametrize("text", ["Ge1:1 In the", "Ge 1:1 In the", "(Ge. 1:1)"])
def test_a_name_and_its_number_are_one_term_too(text: str) -> None:
    assert "1:1|ge" in index_terms(text)


def test_a_digit_is_part_of_the_name_before_a_number() -> None:
    assert "3:4|1samuel" in index_terms("1 Samuel 3:4")
    assert question_terms("What does 1 Samuel 3:4 say?").references == (Reference("3:4", ("1samuel",)),)
    assert question_terms("1Sa3:4").references == (Reference("3:4", ("1sa",)),)


def test_common_words_are_no_names() -> None:
    assert question_terms("What were the 12 of them in 1914?").references == ()
    assert not any("|" in term for term in index_terms("the 12, of 3 and 4"))


@pytest.mark.parametrize(
    ("asked", "known", "meant"),
    [
        ("Genesis 1:1", ["ge", "gal"], ["ge"]),
        ("Ge 1:1", ["genesis", "galatians"], ["genesis"]),
        ("Philemon 1:1", ["phi", "phmn"], ["phmn"]),
        ("John 3:16", ["1jn", "john", "jn"], ["john"]),
        ("1 John 4:8", ["1jn", "john"], ["1jn"]),
        ("Song of Solomon 2:1", ["ssol", "sa"], ["ssol"]),
        ("Figure 3", ["fig", "table"], ["fig"]),
        ("Section 2.1", ["chapter"], []),
    ],
)
def test_a_name_may_be_abbreviated_in_the_text_or_in_the_question(
    asked: str, known: list[str], meant: list[str]
) -> None:
    (reference,) = question_terms(asked).references
    assert reference.spellings(known) == meant


@pytest.mark.parametrize(
    ("question", "quotes"),
    [
        ("What does “the Whales sank” mean?", (("the", "whale", "sank"),)),
        ('"One two" and "three four"?', (("one", "two"), ("three", "four"))),
        ("„eins zwei“ «un deux» 「灯塔里」", (("ein", "zwei"), ("un", "deux"), ("灯塔", "塔里"))),
        ('The "whale"', ()),
        ("Who hid the key?", (("who", "hid", "the", "key"),)),
        ("white whale", ()),
        ("see 3:16 of the book", (("see", "3:16", "of", "the", "book"),)),
        ("word " * 61, ()),
        ('Who drowns at the end of "The Open Boat", and who is saved?', ()),
        ('Who drowns in "The Open Boat"?', ()),
        ('Why does the oiler die in "The Open Boat"?', ()),
        ('What happens at the end of "Moby Dick"?', ()),
        ('What is the plot of "Lost in Translation"?', ()),
        ('Who says "the open boat sank"?', (("the", "open", "boat", "sank"),)),
        ('Where is "Call me Ishmael"?', (("call", "me", "ishmael"),)),
        ("2021-05-12 14:30:01 error 10.0.0.1", (("2021-05-12", "14:30:01", "error", "10.0.0.1"),)),
        ("Which verse says “and he shall be as”?", (("and", "he", "shall", "be", "as"),)),
    ],
)
def test_what_may_be_quoted_is_told_in_order(question: str, quotes: tuple[tuple[str, ...], ...]) -> None:
    assert question_terms(question).quotes == quotes


@given(ANY_TEXT)
def test_terms_are_short_words_without_spaces(text: str) -> None:
    terms = [*index_terms(text), *question_terms(text).terms]
    assert all(term and len(term) <= 150 and not any(map(str.isspace, term)) for term in terms)
    for term in terms:
        term.encode()


@given(ANY_TEXT)
def test_a_text_is_found_by_all_its_own_words(text: str) -> None:
    terms = index_terms(text)
    for term in question_terms(text).terms:
        assert any(known.startswith(term) for known in terms) if is_beginning(term) else term in terms
