"""Lengths as people ask for them, in five languages, and texts that would keep careless patterns busy for ever."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.draft_request import LengthRequest, requested_length
from longdoc.agents.number_words import numbers_in
from longdoc.evaluation.writing_prompts import read_longwriter
from tests.agents.long_lines import HOSTILE
from tests.evaluation.published_sets import DATA, needs

PUBLISHED = [DATA / "writing" / "longwriter" / name for name in ("longbench_write.even.jsonl", "longwrite_ruler.jsonl")]


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("Write 10,000 words on salt.", 10_000),
        ("Write a 5k-word essay.", 5_000),
        ("A 1.5k words text", 1_500),
        ("a story of two thousand five hundred words", 2_500),
        ("twenty-five hundred words", 2_500),
        ("a thousand-word essay", 1_000),
        ("one hundred and fifty words", 150),
        ("thirty-thousand-word novel", 30_000),
        ("The word count should be 800.", 800),
        ("1 million words", 1_000_000),
        ("Ein Aufsatz von 10.000 Wörtern", 10_000),
        ("Schreibe dreitausend Wörter über Salz.", 3_000),
        ("fünfundzwanzigtausend Wörter", 25_000),
        ("zweitausendfünfhundert Wörter", 2_500),
        ("un texte de 2 000 mots", 2_000),
        ("un texte de 2\u202f000 mots", 2_000),
        ("deux mille mots", 2_000),
        ("mille cinq cents mots", 1_500),
        ("un ensayo de 1.500 palabras", 1_500),
        ("dos mil quinientas palabras", 2_500),
        ("treinta y cinco mil palabras", 35_000),
        ("写一篇三千字的文章", 3_000),
        ("一万五千字", 15_000),
        ("一万五字", 15_000),
        ("三百五十字", 350),
        ("二〇〇〇字", 2_000),
        ("写1.5万字的小说", 15_000),
        ("写一篇2000字左右的文章", 2_000),
        ("２０００字", 2_000),
        ("字数要求：1500", 1_500),
        ("两三千字", 3_000),
    ],
)
def test_a_length(instruction: str, words: int) -> None:
    assert requested_length(instruction) == LengthRequest(words)


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("2,000 to 3,000 words", 3_000),
        ("2-3k words", 3_000),
        ("2k–3k words", 3_000),
        ("between three and five thousand words", 5_000),
        ("between two thousand and three thousand words", 3_000),
        ("3000-5000字", 5_000),
        ("A 100-word abstract and a text of 2,000 words", 2_000),
    ],
)
def test_of_a_range_and_of_several_totals_it_is_the_greatest(instruction: str, words: int) -> None:
    assert requested_length(instruction).words == words


AT_LEAST = [
    "at least 1000 words", "no less than 1000 words", "not fewer than 1,000 words", "no shorter than 1000 words",
    "more than 1000 words", "over 1000 words", "1000+ words", "1000 or more words", "1000 words or more",
    "a minimum of 1000 words", "mindestens 1000 Wörter", "nicht weniger als 1.000 Wörter", "mehr als 1000 Wörter",
    "au moins 1000 mots", "pas moins de 1000 mots", "plus de 1000 mots", "al menos 1000 palabras",
    "más de 1.000 palabras", "no menos de 1000 palabras", "1000字以上", "不少于1000字", "至少一千字", "超过1000字",
]  # fmt: skip
AT_MOST = [
    "at most 1000 words", "no more than 1000 words", "not longer than 1,000 words", "less than 1000 words",
    "not to exceed 1000 words", "should not go over 1000 words", "under 1000 words", "up to 1000 words",
    "1000 words or less", "1000 or fewer words", "a maximum of 1000 words", "höchstens 1000 Wörter",
    "nicht mehr als 1000 Wörter", "weniger als 1000 Wörter", "1000 mots au maximum", "au plus 1000 mots",
    "pas plus de 1000 mots", "moins de 1000 mots", "no más de 1000 palabras", "menos de 1000 palabras",
    "como máximo 1000 palabras", "不超过1000字", "1000字以内", "最多一千字", "少于1000字",
]  # fmt: skip


@pytest.mark.parametrize("instruction", AT_LEAST)
def test_at_least_is_a_little_more(instruction: str) -> None:
    assert requested_length(instruction).words == 1_030


@pytest.mark.parametrize("instruction", AT_MOST)
def test_at_most_is_a_little_less(instruction: str) -> None:
    assert requested_length(instruction).words == 970


@pytest.mark.parametrize(
    ("instruction", "words", "chapters"),
    [
        ("Three letters of 400 words each", 1_200, None),
        ("three letters, each of 400 words", 1_200, None),
        ("a novel in 12 chapters with 2,000 words per chapter", 24_000, 12),
        ("a novel of 3 parts and 12 chapters, 2,000 words per chapter", 24_000, 12),
        ("10 chapters of 1,000 words", 10_000, 10),
        ("10 chapters, 15,000 words", 15_000, 10),
        ("5 Kapitel, 1200 Wörter pro Kapitel", 6_000, 5),
        ("cinq chapitres de 800 mots chacun", 4_000, 5),
        ("tres capítulos, cada uno de 900 palabras", 2_700, 3),
        ("每章2000字，共10章", 20_000, 10),
        ("十章，每章三千字", 30_000, 10),
        ("Write three chapters.", 6_000, 3),
        ("ten pages", 5_000, None),
        ("a three-page essay", 1_500, None),
        ("zehn Seiten", 5_000, None),
    ],
)
def test_each_pages_and_chapters(instruction: str, words: int, chapters: int | None) -> None:
    assert requested_length(instruction) == LengthRequest(words, chapters)


@pytest.mark.parametrize(
    "instruction",
    [
        "",
        "Write about the sea.",
        "Write about 1984 and its last words.",
        "a few words",
        "several thousand words",
        "half a million words",
        "数千字",
        "Describe the 100 most used words.",
        "出10道单选题",
        "第十章写海",
        "Chapter 5 is next.",
        "0 words",
        "5 words",
        "9" * 400 + " words",
        "两百个字母",
    ],
)
def test_no_length(instruction: str) -> None:
    assert requested_length(instruction) == LengthRequest()


@needs(PUBLISHED[0])
def test_all_lengths_of_the_published_prompts_are_found_but_one_that_tells_none() -> None:
    prompts = [prompt for path in PUBLISHED for prompt in read_longwriter(path)]
    found = [(prompt.asked, requested_length(prompt.prompt).words) for prompt in prompts]
    wrong = [words for asked, words in found if not asked or not words or abs(words - asked) > 0.05 * asked]
    assert len(prompts) == 108
    assert wrong == [None]


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_million_characters_are_read_at_once_and_what_stands_at_their_ends_is_found(name: str) -> None:
    text = HOSTILE[name](1_000_000)
    started = time.process_time()
    assert requested_length(f"{text}\nWrite 2,000 words.").words is not None
    assert all(number.start < number.end for number in numbers_in(text))
    assert time.process_time() - started < 30


@given(st.text(alphabet="0123456789,. -千百十三a wordseach至kKchapters\n"))
def test_any_text_is_read(text: str) -> None:
    found = requested_length(text)
    assert found.words is None or found.words > 0
    assert found.chapters is None or 1 < found.chapters <= 100


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("Write a 500 word review of a 100,000 word novel", 500),
        ("Summarize my 80,000 words manuscript in 300 words", 300),
        ("写一篇500字的书评，评论一本30万字的小说", 500),
        ("A 600 word letter; the limit of the journal is 3,000 words", 600),
    ],
)
def test_the_length_of_something_else_is_not_taken(instruction: str, words: int) -> None:
    found = requested_length(instruction)
    assert (found.words, found.several) == (words, True)
