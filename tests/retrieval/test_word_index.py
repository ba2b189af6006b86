"""A word index that grows text by text: changes count once, common words cost nothing, damage is seen."""

from pathlib import Path
from threading import Thread

import pytest

from longdoc.errors import StorageError
from longdoc.retrieval import word_index
from longdoc.retrieval.word_index import TextChange, WordIndex


def opened(path: Path, identity: str = "a") -> WordIndex:
    return WordIndex(path / "words.db", identity=identity)


def changes(*texts: str | None, first: int = 1) -> list[TextChange]:
    return [TextChange(number, number, text) for number, text in enumerate(texts, first)]


def found(index: WordIndex, question: str, k: int = 5) -> list[int]:
    return index.search(question, k=k)[0].tolist()


def test_texts_are_found_replaced_and_taken_out(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.apply(changes("The lighthouse of Bergen", "a cat and a dog", "the cat sat"))
    assert found(index, "cats") == [3, 2]
    assert found(index, "lighthouse") == [1]
    assert (len(index), index.watermark) == (3, 3)
    index.apply([TextChange(4, 1, "The harbour"), TextChange(5, 3, None), TextChange(6, 9, None)])
    assert found(index, "lighthouse") == []
    assert found(index, "cats") == [2]
    assert (len(index), index.watermark) == (2, 6)
    index.close()


def test_a_change_counts_once_whoever_brings_it(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    some = changes(*(f"word{number} common" for number in range(50)))
    threads = [Thread(target=index.apply, args=(some[: 20 + 10 * place],)) for place, index in enumerate((one, two))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.apply(some)
    two.apply(some)
    assert (len(one), one.watermark) == (len(two), two.watermark) == (50, 50)
    assert found(two, "word49", k=1) == [50]
    one.close()
    two.close()


def test_one_writes_after_another_wrote_since_both_were_opened(tmp_path: Path) -> None:
    some = changes(*(f"word{number} common" for number in range(30)))
    one, two = opened(tmp_path), opened(tmp_path)
    for count in range(5, 30, 5):
        two.apply(some[:count])
        one.apply(some[: count + 1])
        assert found(one, f"word{count}", k=1) == [count + 1]
        assert found(two, f"word{count}", k=1) == [count + 1]
    one.close()
    two.close()


def test_a_score_is_a_share_of_the_most(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.apply(changes("cat", "cat dog", *(f"filler {number}" for number in range(50))))
    _, scores = index.search("cat", k=5)
    assert (scores > 0).all()
    assert (scores <= 1).all()
    assert found(index, "") == []
    assert found(index, "cat", k=0) == []
    index.close()


def test_words_that_very_many_texts_have_are_not_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_index, "_MOST_SCORED", 10)
    index = opened(tmp_path)
    index.apply(changes(*(f"river {'lantern' if number == 20 else 'stone'}" for number in range(40))))
    assert found(index, "river stone") == []
    assert found(index, "river lantern", k=40) == [21]
    index.close()


@pytest.mark.parametrize("damage", ["identity", "bytes", "empty", "none"])
def test_what_is_damaged_or_of_another_kind_begins_anew(tmp_path: Path, damage: str) -> None:
    index = opened(tmp_path)
    index.apply(changes("The lighthouse of Bergen"))
    index.close()
    path = tmp_path / "words.db"
    if damage == "bytes":
        data = bytearray(path.read_bytes())
        for at in range(1000, len(data), 501):
            data[at] ^= 0xFF
        path.write_bytes(data)
    elif damage == "empty":
        path.write_bytes(b"")
    index = opened(tmp_path, "b" if damage == "identity" else "a")
    assert (len(index), index.watermark) == ((1, 1) if damage == "none" else (0, 0))
    index.close()


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write the index"):
        WordIndex(tmp_path / "file" / "words.db", identity="a")
