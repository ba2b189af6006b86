"""Windows found by their words, and what the file of the index withstands."""

import math
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longdoc.errors import IndexUnusableError, StorageError
from longdoc.retrieval.lexical_index import LexicalIndex, LexicalWriter
from longdoc.retrieval.terms import index_terms, question_terms

TEXTS = {
    3: "The whale sank the ship.",
    5: "A ship met a whale of whales, the whale.",
    8: "Nobody saw the lamp go out.",
    9: "Ge1:1 In the beginning God created the heaven and the earth.",
    11: "Jdgs1:1 Now after the death of Joshua it came to pass.",
    13: "Bread is baked on Saturday.",
    14: "The pass was closed by snow.",
    15: "Bees find their way home.",
    1 << 40: "The   whale sank the\nship.",
}
WORDS = st.lists(st.sampled_from(["whale", "ship", "lamp", "harbour", "God"]), max_size=12).map(" ".join)


def written(path: Path, texts: Mapping[int, str] = TEXTS, *, watermark: int = 7) -> LexicalIndex:
    writer = LexicalWriter(path)
    writer.add(list(texts), list(texts.values()))
    writer.save(identity="windows:1", watermark=watermark)
    return LexicalIndex.load(path, identity="windows:1")


def found(index: LexicalIndex, question: str, k: int = 10) -> list[int]:
    return index.search(question, k=k)[0].tolist()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "indexes" / "lexical.index"


def test_the_best_come_first_and_equal_ones_in_order(path: Path) -> None:
    index = written(path)
    assert found(index, "Where is the whale?") == [5, 3, 1 << 40]
    assert found(index, "the whale", k=2) == [5, 3]
    assert found(index, "a whale that sank") == [3, 1 << 40, 5]
    assert found(index, "zebra") == found(index, "") == found(index, "?!") == []
    assert len(index) == len(TEXTS)


def bm25(texts: Mapping[int, str], question: str) -> dict[int, float]:
    """BM25 as SQLite defines it, as a share of the most there can be."""
    terms = {one: index_terms(text) for one, text in texts.items()}
    mean = sum(map(len, terms.values())) / len(terms)
    scores: dict[int, float] = {}
    most = 0.0
    for term in question_terms(question).terms:
        having = [one for one, own in terms.items() if term in own]
        rarity = max(1e-6, math.log((len(terms) - len(having) + 0.5) / (len(having) + 0.5)))
        most += 2.2 * rarity
        for one in having:
            count = Counter(terms[one])[term]
            part = rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(terms[one]) / mean))
            scores[one] = scores.get(one, 0.0) + part
    one_rare_word = 2.2 * max(1e-6, math.log((len(terms) - 0.5) / 1.5))
    return {one: score / max(most, one_rare_word) for one, score in scores.items()}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=12), WORDS)
def test_scores_are_shares_of_the_most_that_bm25_gives(path: Path, texts: list[str], question: str) -> None:
    numbered = dict(enumerate(texts))
    ids, scores = written(path, numbered).search(question, k=100)
    expected = bm25(numbered, question)
    assert dict(zip(ids.tolist(), scores.tolist(), strict=True)) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert all(0 < score < 1 for score in scores.tolist())


def test_a_question_of_words_that_most_texts_have_has_hardly_any_voice(path: Path) -> None:
    texts = {number: f"{'whale ' * (number % 3)}of day {number}" for number in range(1, 60)}
    index = written(path, texts)
    assert max(index.search("Where is the whale?", k=9)[1].tolist()) < 0.01
    assert max(index.search("Where is the whale of day 31?", k=9)[1].tolist()) > 0.3


def test_a_reference_is_found_by_any_abbreviation_of_its_name(path: Path) -> None:
    index = written(path)
    assert index.look_up("What does Genesis 1:1 say?", k=5)[0].tolist() == [9]
    assert index.look_up("Judges 1:1", k=5)[0].tolist() == [11]
    assert index.look_up("Exodus 1:1", k=5)[0].tolist() == []
    assert index.look_up("1:1", k=5)[0].tolist() == []
    assert found(index, "Judges 1:1")[0] == 11
    assert set(found(index, "1:1")) == {9, 11}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("the whale sank the ship", [3, 1 << 40]),
        ("ship the sank whale", [3, 1 << 40]),
        ("Which text says “a whale of whales”?", [5]),
        ('Is it "whales, the whale" that is said?', [5]),
        ("Who says 'nobody' saw the lamp go out", []),
        ("Nobody saw lamp out", [8]),
        ("whale ship", []),
        ("「harbour」", []),
    ],
)
def test_a_quote_is_found_word_for_word_or_with_words_left_out(path: Path, question: str, expected: list[int]) -> None:
    assert written(path).look_up(question, k=9)[0].tolist() == expected


@given(st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_question_can_be_asked(tmp_path_factory: pytest.TempPathFactory, question: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.index"
    index = LexicalIndex.load(path, identity="windows:1") if path.exists() else written(path)
    index.search(question, k=5)
    index.look_up(question, k=5)
    index.close()


@pytest.mark.parametrize("question", ['"whale', "whale AND NOT ship", "terms:whale", "whale*", "NEAR(whale ship)", "^"])
def test_nothing_in_a_question_is_a_command(path: Path, question: str) -> None:
    assert set(found(written(path), question)) <= {3, 5, 1 << 40}


def test_copies_of_a_text_are_known_whatever_the_space_in_them(path: Path) -> None:
    assert written(path).first_copies([1 << 40, 5, 4]) == {1 << 40: 3, 5: 5}


def test_what_is_removed_is_not_found_and_does_not_count(path: Path) -> None:
    before = written(path)
    writer = LexicalWriter(path, base=before)
    writer.remove(5, 1 << 39)
    writer.add([20], ["Another whale."])
    writer.save(identity="windows:1", watermark=9)
    after = LexicalIndex.load(path, identity="windows:1")
    assert (found(after, "whale"), after.watermark, len(after)) == ([20, 3, 1 << 40], 9, 3)
    assert after.first_copies([1 << 40]) == {1 << 40: 3}
    fresh = written(path.with_name("fresh"), {3: TEXTS[3], 20: "Another whale.", 1 << 40: TEXTS[1 << 40]})
    assert after.search("whale ship", k=9)[1].tolist() == fresh.search("whale ship", k=9)[1].tolist()


def test_who_has_the_old_file_open_goes_on_with_it(path: Path) -> None:
    before = written(path)
    written(path, {1: "A lamp."}).close()
    assert found(before, "whale") == [5, 3, 1 << 40]


def test_before_it_is_saved_a_new_file_is_not_there(path: Path) -> None:
    written(path).close()
    writer = LexicalWriter(path)
    writer.add([1], ["A lamp."])
    assert found(LexicalIndex.load(path, identity="windows:1"), "whale") == [5, 3, 1 << 40]
    writer.discard()
    assert [file.name for file in path.parent.iterdir() if not file.name.endswith(".lock")] == [path.name]


def test_a_writer_that_was_killed_leaves_nothing_that_stands_in_the_way(path: Path) -> None:
    written(path).close()
    LexicalWriter(path).add([1], ["A lamp."])
    assert found(written(path), "lamp") == [8]


_FULL = """
import resource, sys
from pathlib import Path
from longdoc.errors import StorageError
from longdoc.retrieval.lexical_index import LexicalIndex, LexicalWriter

path = Path(sys.argv[1])
base = LexicalIndex.load(path, identity="windows:1")
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, path.stat().st_size // 2))
try:
    LexicalWriter(path, base=base)
except StorageError as error:
    print(error)
"""


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(path: Path) -> None:
    written(path).close()
    done = subprocess.run([sys.executable, "-c", _FULL, str(path)], capture_output=True, text=True, check=True)
    assert "cannot write the index" in done.stdout
    assert "make room" in done.stdout
    assert [file.name for file in path.parent.iterdir() if not file.name.endswith(".lock")] == [path.name]


def pieces(index: LexicalIndex, path: Path) -> int:
    """Of how many pieces that were not merged an index is."""
    index.copy_to(path)
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(DISTINCT segid) FROM windows_idx").fetchone()[0]


@pytest.mark.parametrize(("added", "expected"), [(3, 2), (60, 1)])
def test_only_many_changes_make_the_whole_index_anew(path: Path, added: int, expected: int) -> None:
    base = written(path, {one: f"The whale number {one}." for one in range(200)})
    assert pieces(base, path.with_name("copy")) == 1
    writer = LexicalWriter(path, base=base)
    writer.add(range(1000, 1000 + added), [f"The lamp number {one}." for one in range(added)])
    writer.save(identity="windows:1", watermark=8)
    after = LexicalIndex.load(path, identity="windows:1")
    assert (pieces(after, path.with_name("copy")), len(found(after, "lamp", k=100))) == (expected, added)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_flipped_byte_is_noticed(path: Path, share: float) -> None:
    written(path).close()
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(IndexUnusableError):
        LexicalIndex.load(path, identity="windows:1")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_noticed(path: Path, share: float) -> None:
    written(path).close()
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(IndexUnusableError):
        LexicalIndex.load(path, identity="windows:1")


def test_another_layout_and_a_missing_file_are_noticed(path: Path) -> None:
    with pytest.raises(IndexUnusableError, match="is not there"):
        LexicalIndex.load(path, identity="windows:1")
    written(path).close()
    with pytest.raises(IndexUnusableError, match="was made with"):
        LexicalIndex.load(path, identity="windows:2")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write the index"):
        LexicalWriter(tmp_path / "file" / "lexical.index")


def test_threads_may_search_at_once(path: Path) -> None:
    index = written(path, {one: f"The whale number {one} and ship {one % 7}." for one in range(2000)})
    expected = [found(index, f"ship {number}") for number in range(7)]
    wrong: list[int] = []

    def search() -> None:
        wrong.extend(n for _ in range(20) for n in range(7) if found(index, f"ship {n}") != expected[n])

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
