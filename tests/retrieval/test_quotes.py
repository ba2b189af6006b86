"""Quotes are found where they stand, however they are typed, and never where they do not stand."""

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longdoc.documents.atoms import sentence_spans
from longdoc.retrieval.quote_words import QuoteWords
from longdoc.retrieval.quotes import QuoteFinder, QuoteMatch, find_quote

TEXT = (
    "The lamp of Skerry Head went out at 11:40, and nobody on the quay noticed it. Marta Quill took the oil can, two "
    "boxes of matches and her late father’s oilskin. She rowed across the sound in the dark—it was not far, she told "
    "herself … not far at all. “You can’t land there,” the pilot had said. The well-known keeper slept over an un-\n"
    "finished game of draughts. He had won 1,250 crowns in 1871 and lost 12.5% of them by May.\n\n"
    "CHAPTER II\n\nIn the morning the keeper wrote in his book that the night had been quiet, and that nothing "
    "whatever had disturbed the herring fleet. The night had been quiet indeed."
)


def found(quote: str, text: str = TEXT) -> str | None:
    match = find_quote(quote, text)
    return None if match is None else text[match.start : match.end]


@pytest.mark.parametrize(
    "quote",
    [
        "Marta Quill took the oil can",
        "  MARTA quill\ttook the\n oil can. ",
        "her late father's oilskin",
        "“her late father’s oilskin”",
        "rowed across the sound in the dark - it was not far, she told herself ... not far at all",
        "You can't land there,' the pilot had said",
        "the well known keeper slept over an unfinished game",
        "The wel\u00adl-known keeper",
        "two boxes of matches and her late father\u200b’s oilskin",
        "won 1250 crowns in 1871",
        "by May. Chapter II. In the morning the keeper",
    ],
)
def test_white_space_case_quotes_dashes_and_hyphens_do_not_matter(quote: str) -> None:
    match = find_quote(quote, TEXT)
    assert match is not None
    assert match.exact
    assert match.score == 1.0


def test_offsets_are_those_of_the_text_as_it_is() -> None:
    assert found("SLEPT OVER AN UNFINISHED GAME") == "slept over an un-\nfinished game"


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        (
            "and nothing whatever had disturbed the herring fleet",
            "and that nothing whatever had disturbed the herring fleet",
        ),
        ("In the morning keeper wrote in his book that night had been quiet", None),
        ("Marta Quill took the oil can two boxes of matches", "Marta Quill took the oil can, two boxes of matches"),
        ("slept over an un-finished game", "slept over an un-\nfinished game"),
        (
            "the wellknown keeper slept over an unfinished game",
            "The well-known keeper slept over an un-\nfinished game",
        ),
    ],
)
def test_little_words_hyphens_and_commas_are_forgiven(quote: str, stands: str | None) -> None:
    match = find_quote(quote, TEXT)
    assert match is not None
    assert 0.85 <= match.score <= 1.0
    if stands is not None:
        assert found(quote) == stands


@pytest.mark.parametrize(
    "quote",
    [
        "won 1,251 crowns in 1871 and lost 12.5% of them",
        "won 1,250 crowns in 1872 and lost 12.5% of them",
        "won 1,250 crowns in 1871 and lost 125% of them",
        "won 1,250 crowns in 1871 and lost 12.5 of them",
        "The lamp of Skerry Head went out at 11:41, and nobody on the quay noticed it",
        "three boxes of matches and her late father's oilskin",
        "Marta Quell took the oil can, two boxes of matches and her late father's oilskin",
        "Martha Quill took the oil can, two boxes of matches and her late father's oilskin",
        "She rowed across the sound in the dark—it was far, she told herself",
        "You can land there, the pilot had said",
        "and somebody on the quay noticed it. Marta Quill took the oil can",
        "her late mother's oilskin and two boxes of matches",
        "In the morning the keeper wrote in his diary that the night had been quiet",
        "the keeper wrote in her book that the night had been quiet",
        "the night had been quiet, and that everything whatever had disturbed the herring fleet",
        "the night had disturbed the herring fleet, and that nothing whatever had been quiet",
        "Marta Quill went to Vienna by the night train",
        "the unknown keeper slept over an unfinished game",
    ],
)
def test_a_changed_number_name_denial_or_content_word_makes_it_no_quote(quote: str) -> None:
    assert find_quote(quote, TEXT) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("nobody on the quay notised it", TEXT),
        ("the night had been quiet and that nothing whatever had distrubed the herring fleet", TEXT),
        ("He sold his house to the miller that day", "He sold his horse to the miller that day."),
        ("an immoral soul in a mortal body", "an immortal soul in a mortal body"),
        ("the law has proscribed this remedy", "The law has prescribed this remedy."),
        ("she wished to resign the contract today", "She wished to re-sign the contract today."),
        ("she wished to re-sign the contract today", "She wished to resign the contract today."),
        ("they complied lists of all the ships", "They compiled lists of all the ships."),
        ("the needles death of the mate", "The needless death of the mate."),
        ("the needle death of the mate", "The needless death of the mate."),
        ("bunun ne olduğunu bilmiyorum dedi", "Bunun ne olduğunu biliyorum, dedi."),
        ("onun geldiğini ummuyorum artık", "Onun geldiğini umuyorum artık."),
        ("sie haben drucken wollen und gelacht", "Sie haben drücken wollen und gelacht."),
        ("they were lost in the fog", "Indeed they said: “We’re lost in the fog.”"),
        ("he is therapist on board", "He is the ‘rapist’ on board."),
        ("the match was won by 31 goals", "The match was won by 3-1 goals."),
        ("a few friends came to the house", "He said that few friends came to the house."),
        ("there was little hope of land left", "There was a little hope of land left."),
    ],
)
def test_another_word_is_no_misspelling(quote: str, text: str) -> None:
    assert find_quote(quote, text) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("he said that today was the day", "He said that to-day was the day."),
        ("he said that to-day was the day", "He said that today was the day."),
        ("the crew will reenter the harbour", "The crew will re-enter the harbour."),
        ("all the text\u2010books were burned", "All the textbooks were burned."),
    ],
)
def test_a_hyphen_that_tells_nothing_does_not_matter(quote: str, text: str) -> None:
    match = find_quote(quote, text)
    assert match is not None
    assert not match.exact


@pytest.mark.parametrize(
    ("quote", "text", "stands"),
    [
        ("It is 102 metres", "It is 10² metres high.", None),
        ("It is 10 metres", "It is 10² metres high.", None),
        ("2 metres high and more", "It is 10² metres high and more.", None),
        ("It is 10² metres", "It is 10² metres high.", "It is 10² metres"),
        ("It is 10^2 metres", "It is 10² metres high.", "It is 10² metres"),
        ("It is 10² metres", "It is 10⁻² metres high.", None),
        ("It is 10^-2 metres", "It is 10⁻² metres high.", "It is 10⁻² metres"),
        ("the area is 12 m of land", "The area is 12 m² of land.", None),
        ("the area is 12 m2 of land", "The area is 12 m² of land.", "The area is 12 m² of land"),
        (
            "the houses were all of them burned",
            "The houses¹ were all of them burned.",
            "The houses¹ were all of them burned",
        ),
        ("the houses were all burned", "The houses,¹² were all burned.", "The houses,¹² were all burned"),
        ("houses¹ were all burned", "The houses were all burned.", "houses were all burned"),
        ("the houses were all burned down", "The houses① were all burned down.³", "The houses① were all burned down"),
        ("it isn’t there any more", "It isn’t² there any more.", "It isn’t² there any more"),
        ("they drank CO2 and water", "They drank CO₂ and water.", "They drank CO₂ and water"),
        ("they drank CO and water", "They drank CO₂ and water.", None),
        ("灯塔的灯在午夜", "灯塔①的灯在午夜熄灭了。", "灯塔①的灯在午夜"),
        ("it fell to −5 degrees", "It fell to -5 degrees.", "It fell to -5 degrees"),
        ("5 degrees in the night", "It fell to -5 degrees in the night.", None),
    ],
)
def test_raised_digits_are_powers_after_a_number_and_notes_after_a_word(
    quote: str, text: str, stands: str | None
) -> None:
    assert found(quote, text) == stands
    match = find_quote(quote, text)
    assert match is None or match.exact


@pytest.mark.parametrize(
    ("quote", "text", "stands"),
    [
        ("לא ידעתי", "לֹא יָדַעְתִּי", "לֹא יָדַעְתִּי"),
        ("לֹא יָדַעְתִּי", "לא ידעתי", "לא ידעתי"),
        ("כל הארץ ידעתי", "כָל־הָאָֽרֶץ יָדַעְתִּי׃", "כָל־הָאָֽרֶץ יָדַעְתִּי"),
        ("هذا كتاب جديد", "قال: هٰذَا كِتَابٌ جَدِيدٌ.", "هٰذَا كِتَابٌ جَدِيدٌ"),
        ("هذا كتـاب جديد", "هذا كتاب جديد.", "هذا كتاب جديد"),
    ],
)
def test_points_of_hebrew_and_vowels_of_arabic_do_not_matter(quote: str, text: str, stands: str) -> None:
    assert found(quote, text) == stands


@pytest.mark.parametrize("quote", ["", " ", "…", "the", "it was", "keeper", "the keeper", "42", "! ?"])
def test_what_would_be_found_anywhere_proves_nothing(quote: str) -> None:
    assert find_quote(quote, f"{TEXT} It was the keeper, 42.") is None


def test_one_word_counts_where_it_is_rare_and_occurs_once() -> None:
    assert found("draughts") == "draughts"
    assert found("1871") == "1871"
    assert found("quiet") is None


@pytest.mark.parametrize("gap", ["…", "...", "[...]", " . . . ", "[…]"])
def test_pieces_around_an_ellipsis_stand_in_order(gap: str) -> None:
    match = find_quote(f"Marta Quill took the oil can{gap}and her late father's oilskin", TEXT)
    assert match is not None
    assert not match.exact
    assert match.score == 0.95
    assert [TEXT[start:end] for start, end in match.pieces] == [
        "Marta Quill took the oil can",
        "and her late father’s oilskin",
    ]
    assert (match.start, match.end) == (match.pieces[0][0], match.pieces[1][1])
    assert find_quote(f"and her late father's oilskin{gap}Marta Quill took the oil can", TEXT) is None


QUIET = "In the morning the keeper wrote, at last, in his red book, with a broken pen, that the night had been quiet."


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("The lamp of Skerry Head … and nobody on the quay noticed it", TEXT),
        ("In the morning the keeper wrote … in his red book … that the night had been quiet", QUIET),
        ("Marta Quill took oil can … and her late father's oilskin", TEXT),
        (
            "the old mate saw … Mrs. Hale at the helm",
            "The old mate saw Mr. Coffin, Dr. Stubb and Mrs. Hale at the helm.",
        ),
        (
            "the old mate rose … and took the helm",
            "The old mate rose (“Go!” he cried, and “Who?” she) and took the helm.",
        ),
        (
            "the old cook of the ship … was guilty of murder",
            "The old cook of the ship, who drank, was guilty of murder.",
        ),
        ("他看见灯塔的灯…在午夜熄灭了", "那天晚上他看见灯塔的灯和船上的灯，都在午夜熄灭了。"),
        ("она увидела старый маяк … и пошла домой", "Она увидела старый маяк, лодку и море и пошла домой."),
    ],
)
def test_a_part_of_a_sentence_may_be_left_out(quote: str, text: str) -> None:
    match = find_quote(quote, text)
    assert match is not None
    assert not match.exact
    assert match.score < 1
    assert len(match.pieces) > 1


TALE = (
    "He was tired. That year the ship came to a bay. John Smith was at the helm. In the dark of the hold lay the "
    "stores, not eaten by rats. The cook, a thief, was guilty of the murder of the mate."
)


@pytest.mark.parametrize(
    "quote",
    [
        "he was … at the … of the murder",
        "he was ... in the ... of the ... not eaten ... the cook",
        "John Smith … was guilty of the murder of the mate",
        "John Smith was at the helm … was guilty of the murder of the mate",
        "That year the ship … John Smith was at the helm … was guilty of the murder",
        "John Smith was at … guilty of the murder of the mate",
        "He was tired … was guilty of the murder of the mate",
        "he was tired that … came to a bay … was at the helm … a thief was guilty",
    ],
)
def test_pieces_of_several_sentences_or_of_common_words_are_no_quote(quote: str) -> None:
    assert find_quote(quote, TALE) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("the keeper wrote in his book … had disturbed the herring fleet", TEXT),
        ("the old mate did … see the ship at last", "The old mate did not on that day see the ship at last."),
        (
            "the old mate saw the lamp … guilty of the murder",
            "The old mate saw the lamp; the cook was guilty of the murder.",
        ),
        (
            "the old mate saw the lamp … guilty of the murder",
            "The old mate saw the lamp\n\nThe cook: guilty of the murder.",
        ),
        ("the old mate Stubb … guilty of the murder", "The old mate Stubb\tasleep\nThe old cook\tguilty of the murder"),
        ("the old mate Stubb … guilty of the murder", "- The old mate Stubb\n- The cook, guilty of the murder"),
        ("the old mate asked … guilty of the murder", "“Who?” the old mate asked. “And who is guilty of the murder?”"),
        (
            "John Smith was at … guilty of the murder",
            "John Smith was at the helm, and the cook was guilty of the murder.",
        ),
        ("John Smith was at … guilty of the murder", "John Smith was at the helm, but Stubb was guilty of the murder."),
        (
            "Der alte Steuermann sah … hatte den Koch ermordet",
            "Der alte Steuermann sah es, aber Stubb hatte den Koch ermordet.",
        ),
        ("他看见灯塔的灯…在午夜熄灭了", "他看见灯塔的灯，而船上的灯在午夜熄灭了。"),
        ("他看见灯塔的灯…在午夜熄灭了", "他看见灯塔的灯。船上的灯在午夜熄灭了。"),
        ("他看见灯塔的灯…在午夜熄灭了", "他看见灯塔的灯和船，没在午夜熄灭了。"),
        ("灯塔…午夜熄灭了", "灯塔的灯和船上的灯，都在午夜熄灭了。"),
        ("她看见老水手…犯了谋杀罪", "她看见老水手睡着了！厨师犯了谋杀罪。"),
    ],
)
def test_what_an_ellipsis_must_not_stand_for(quote: str, text: str) -> None:
    assert find_quote(quote, text) is None


def test_a_piece_of_one_word_is_none() -> None:
    assert find_quote("Marta Quill took the oil can … matches", TEXT) is None


def test_a_later_place_of_the_first_piece_may_be_the_right_one() -> None:
    text = "The bell rang twice. " + "Rain fell. " * 300 + "The bell rang twice, and somebody came to the door."
    match = find_quote("The bell rang twice … came to the door", text)
    assert match is not None
    assert match.start == text.rindex("The bell")


@pytest.mark.parametrize(("times", "stands"), [(20, True), (30, False)])
def test_pieces_far_apart_are_no_quote(times: int, stands: bool) -> None:
    text = "The captain hated " + "a grey sea, " * times + "his own brother most."
    assert (find_quote("The captain hated … his own brother most", text) is not None) == stands


def test_an_ellipsis_of_the_text_itself_is_punctuation() -> None:
    assert found("she told herself... not far at all") == "she told herself … not far at all"


def test_every_place_is_found_in_order() -> None:
    matches = QuoteFinder(TEXT).find_all("the night had been quiet")
    assert [match.start for match in matches] == [m.start() for m in re.finditer("[Tt]he night had been quiet", TEXT)]


@pytest.mark.parametrize(
    ("quote", "text", "stands"),
    [
        ("灯塔的灯在午夜之前", "他说：灯塔的灯，在午夜\n之前熄灭了。", "灯塔的灯，在午夜\n之前"),
        ("灯塔的灯在午夜之后", "他说：灯塔的灯在午夜之前熄灭了。", None),
        ("est mort à Besançon", "L’homme est mort à Besanc\u0327on hier.", "est mort à Besanc\u0327on"),
        ("homme est mort", "L’homme est mort à Besançon hier.", "homme est mort"),
        ("DIE STRASSE WAR LEER", "Die Straße war leer.", "Die Straße war leer"),
        ("the ﬁrst oﬃcer", "The first officer slept.", "The first officer"),
        ("ОН ПРИШЁЛ ДОМОЙ", "И он пришёл домой.", "он пришёл домой"),
        ("वह घर आया था", "और वह घर आया था।", "वह घर आया था"),
        ("it fell to -5 degrees", "That night it fell to 5 degrees.", None),
    ],
)
def test_other_scripts(quote: str, text: str, stands: str | None) -> None:
    assert found(quote, text) == stands


WORDS = st.text(alphabet="abcdefgABCéßçжд", min_size=2, max_size=8)
JOINTS = st.sampled_from([" ", ", ", "\n", "  \n", " — ", ". ", "; “", "” ", "’ ", " … ", "-"])
SPACES = st.sampled_from([" ", "  ", "\n", "\t ", "\u00a0"])


@st.composite
def texts_with_a_stretch(draw: st.DrawFn) -> tuple[str, int, int]:
    """A text, and where some words in a row begin and end in it."""
    words = draw(st.lists(WORDS, min_size=7, max_size=30))
    spans: list[tuple[int, int]] = []
    text = draw(st.sampled_from(["", "“", "— "]))
    for word in words:
        spans.append((len(text), len(text) + len(word)))
        text += word + draw(JOINTS)
    first = draw(st.integers(0, len(words) - 7))
    last = draw(st.integers(first + 6, len(words) - 1))
    return text, spans[first][0], spans[last][1]


@given(texts_with_a_stretch(), SPACES, st.sampled_from([str.upper, str.lower, str.title, str]), st.booleans())
def test_any_stretch_of_a_text_is_found_at_its_place(
    stretch: tuple[str, int, int], space: str, case: type[str], plain: bool
) -> None:
    text, start, end = stretch
    quote = case(re.sub(r"\s+", space, text[start:end]))
    if plain:
        quote = quote.translate(str.maketrans({"“": '"', "”": '"', "’": "'", "—": "-", "…": "..."}))
    places = [(match.start, match.end) for match in QuoteFinder(text).find_all(quote)]
    assert (start, end) in places


@given(
    st.lists(st.integers(10, 99_999), min_size=3, max_size=12, unique=True),
    st.data(),
)
def test_a_quote_with_another_number_is_not_found(numbers: list[int], data: st.DataObject) -> None:
    text = " ".join(f"In the year {number} the harbour of Kesh had few ships." for number in numbers)
    stated = data.draw(st.sampled_from(numbers))
    other = data.draw(st.integers(0, 999_999))
    assume(other not in numbers)
    assert find_quote(f"In the year {stated} the harbour of Kesh had few ships", text) is not None
    assert find_quote(f"In the year {other} the harbour of Kesh had few ships", text) is None


@given(st.text(max_size=60), st.text(max_size=300))
def test_whatever_is_found_lies_in_the_text(quote: str, text: str) -> None:
    for match in QuoteFinder(text).find_all(quote):
        assert_lies_in(match, text)


@given(texts_with_a_stretch(), st.lists(WORDS, min_size=1, max_size=4), st.integers(0, 30))
def test_words_put_into_a_quote_make_it_none_unless_they_stand_there(
    stretch: tuple[str, int, int], invented: list[str], where: int
) -> None:
    text, start, end = stretch
    words = text[start:end].split(" ")
    invented = [f"{word}q" for word in invented]
    quote = " ".join([*words[: where % len(words)], *invented, *words[where % len(words) :]])
    assert find_quote(quote, text) is None


ENDINGS = ["eth", "olk", "uma", "iras", "ust", "aven", "ylo", "oqa"]
NAMES = [f"{start}{end}" for start in ("kar", "bel", "dorv", "gim") for end in ENDINGS]
STOPS = st.sampled_from([". ", "! ", "? ", ".” “", "; ", ": ", ".\n\n", ".\n", "? — "])
ELLIPSES = st.sampled_from([" … ", "...", " [...] ", ", … "])


@st.composite
def tales(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A text, and the words of each of its sentences, of which none is in another one."""
    names = draw(st.permutations(NAMES))
    rows = [["the", names[at], "of", *names[at + 1 : at + 4], "was", *names[at + 4 : at + 8]] for at in range(0, 32, 8)]
    return "".join(" ".join(row).capitalize() + draw(STOPS) for row in rows), rows


@given(tales(), st.data())
def test_pieces_of_different_sentences_are_never_a_quote(
    tale: tuple[str, list[list[str]]], data: st.DataObject
) -> None:
    """The subject of one with what another one says, with or without a third piece."""
    text, rows = tale
    first, other = sorted(data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=2, unique=True)))
    pieces = [rows[first][: data.draw(st.integers(2, 7))], rows[other][data.draw(st.integers(1, 7)) :]]
    if data.draw(st.booleans()):
        pieces.insert(1, data.draw(st.sampled_from([rows[first][-3:], rows[other][:3]])))
    ellipsis = data.draw(ELLIPSES)
    assert find_quote(ellipsis.join(map(" ".join, pieces)), text) is None


@given(tales(), ELLIPSES, st.data())
def test_a_sentence_without_some_of_its_middle_is_a_quote(
    tale: tuple[str, list[list[str]]], ellipsis: str, data: st.DataObject
) -> None:
    text, rows = tale
    row = data.draw(st.sampled_from(rows))
    start, end = data.draw(st.integers(3, 5)), data.draw(st.integers(6, len(row) - 3))
    match = find_quote(" ".join(row[:start]) + ellipsis + " ".join(row[end:]), text)
    assert match is not None
    assert_lies_in(match, text)
    assert len(match.pieces) == 2


SENTENCES = [TEXT[start:end] for start, end in sentence_spans(TEXT) if not TEXT[start:end].isspace()]


@st.composite
def stretches_of_sentences(draw: st.DrawFn) -> str:
    """Some words of a sentence of the text."""
    words = draw(st.sampled_from(SENTENCES)).split()
    at = draw(st.integers(0, len(words) - 1))
    return " ".join(words[at : at + draw(st.integers(2, 8))])


@given(st.lists(stretches_of_sentences(), min_size=2, max_size=5), ELLIPSES)
def test_what_is_pieced_together_is_from_one_sentence(pieces: list[str], ellipsis: str) -> None:
    quote = ellipsis.join(pieces)
    match = find_quote(quote, TEXT)
    if match is not None and len(match.pieces) > 1:
        assert_lies_in(match, TEXT)
        assert any(match.start >= start and match.end <= end for start, end in sentence_spans(TEXT))
        assert TEXT[match.start : match.end].count("nothing") == quote.count("nothing")


@given(texts_with_a_stretch(), st.data())
def test_a_quote_has_every_letter_of_what_it_is_found_in(stretch: tuple[str, int, int], data: st.DataObject) -> None:
    """A letter more, less or another, or two that change places, make it none, unless that stands there too."""
    text, start, end = stretch
    at = data.draw(st.integers(start, end - 2))
    letter = data.draw(st.sampled_from(["", "a", "é", "q", text[at], text[at + 1] + text[at]]))
    quote = text[start:at] + letter + text[at + data.draw(st.integers(0, 2)) : end]
    for match in QuoteFinder(text).find_all(quote):
        assert letters_of(text[match.start : match.end]) == letters_of(quote)


def letters_of(text: str) -> str:
    words = QuoteWords(text).words
    return "".join(word for word in words if word not in {"a", "an", "the", "and", "that", "then", "of", "to"})


def assert_lies_in(match: QuoteMatch, text: str) -> None:
    assert 0 <= match.start < match.end <= len(text)
    assert (match.start, match.end) == (match.pieces[0][0], match.pieces[-1][1])
    assert 0 < match.score <= 1
    if len(match.pieces) > 1:
        assert not match.exact
        assert match.score <= 0.95
    position = 0
    for start, end in match.pieces:
        assert position <= start < end
        position = end


def test_a_megabyte_is_searched_in_well_under_a_second() -> None:
    sentence = "The {0} ship of the fleet carried {0} barrels of salt to the harbour of Kesh in its hold. "
    text = "".join(sentence.format(number) for number in range(12_000))
    finder = QuoteFinder(text)
    started = time.process_time()
    assert (
        finder.find("The 9000 ship of the fleet carried 9000 barrels of salt to harbour of Kesh in its hold")
        is not None
    )
    assert finder.find("The 9000 ship of the fleet carried 9001 barrels of salt to the harbour of Kesh") is None
    assert time.process_time() - started < 2
