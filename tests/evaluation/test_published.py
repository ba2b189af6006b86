"""The published table, recomputed: on files made here always, on the real ones where they are."""

import re
from pathlib import Path

import pytest

from longdoc.errors import DocumentError, MalformedDocumentError
from longdoc.evaluation.published import PublishedScore, recompute_published
from tests.evaluation.published_files import write_published

SHARED = Path(__file__).parents[2].parent / "shared"
FOLDER = SHARED / "data" / "summaries" / "booookscore"
here = pytest.mark.skipif(not FOLDER.exists(), reason=f"the published files are not here ({FOLDER.name})")


def test_the_mean_is_over_books_and_leaves_out_the_examples_of_the_prompt(tmp_path: Path) -> None:
    (score,) = recompute_published(write_published(tmp_path, hier=75.05))
    assert score.recomputed == 75
    assert (score.sentences, score.confusing, len(score.books)) == (6, 1, 2)
    assert score.agrees
    assert score.interval == (50, 100)


def test_a_value_that_is_too_far_off_does_not_agree(tmp_path: Path) -> None:
    (score,) = recompute_published(write_published(tmp_path, hier=75.2))
    assert not score.agrees


def test_a_table_that_counts_every_book_leaves_none_out(tmp_path: Path) -> None:
    (score,) = recompute_published(write_published(tmp_path, hier=50, books=3))
    assert score.recomputed == pytest.approx(50)


def test_another_number_of_books_than_the_table_says_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match="says 1 books, its files hold 2"):
        recompute_published(write_published(tmp_path, hier=75, books=1))


@pytest.mark.parametrize("name", ["golden.tsv", "s.json", "a.json"])
def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (write_published(tmp_path, hier=75) / name).unlink()
    with pytest.raises(DocumentError, match=name):
        recompute_published(tmp_path)


@here
def test_every_published_value_comes_out_again() -> None:
    scores = recompute_published(FOLDER)
    assert len(scores) == 11
    assert [score for score in scores if not score.agrees] == []


@here
def test_every_value_is_what_others_recomputed_with_the_same_splitter() -> None:
    """The figures are read where they are kept: the page on the data, to three digits."""
    table = re.findall(
        r"^\| ([^|]+?) \| (\d+) \| [\d.]+ \| ([\d.]+) \| [\d.-]+ \| ([\d.-]+) \|$",
        (SHARED / "data" / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    known = {
        (model, segment, method): float(value)
        for model, segment, hierarchical, incremental in table
        for method, value in (("hierarchical", hierarchical), ("incremental", incremental))
        if value != "-"
    }
    found = {_key(score): score.recomputed for score in recompute_published(FOLDER)}
    assert found == pytest.approx(known, abs=0.01)


@here
def test_sentences_and_confusing_ones_are_counted_as_others_counted_them() -> None:
    """Read from the specification: each value with (sentences, confusing)."""
    page = (SHARED / "specs" / "booookscore.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?), (\d+) \|[^|]+\|[^|]+\|([^|]+)\|([^|]+)\|$", page, re.MULTILINE)
    known = {
        (model, segment, method): tuple(map(int, counts))
        for model, segment, *cells in rows
        for method, cell in zip(("hierarchical", "incremental"), cells, strict=True)
        for counts in re.findall(r"\((\d+), (\d+)\)", cell)
    }
    assert {_key(score): (score.sentences, score.confusing) for score in recompute_published(FOLDER)} == known


def _key(score: PublishedScore) -> tuple[str, str, str]:
    return score.model, score.segment, score.method
