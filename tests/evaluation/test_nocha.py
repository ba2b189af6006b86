"""NoCha: pairs of claims, verdicts in replies, and pairs that are right only where both claims are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from longdoc.errors import DocumentError, MalformedDocumentError
from longdoc.evaluation.nocha import (
    ClaimPair,
    PairVerdicts,
    pair_figures,
    published_verdicts,
    read_nocha,
    read_verdict,
)
from longdoc.evaluation.shares import Share
from longdoc.json_value import JsonValue
from tests.evaluation.published_sets import DATA, needs

FOLDER = DATA / "qa" / "nocha"


def claim(text: str, *, true: bool, index: int = 1, reply: str = "<answer>TRUE</answer>") -> JsonValue:
    return {
        "book_title": "mill",
        "claim": text,
        "type": true,
        "index": index,
        "false-claim-explanation": "" if true else "It was sold.",
        "response-ada": reply,
        "length": 5,
    }


def written(folder: Path, *claims: JsonValue) -> Path:
    (folder / "books").mkdir()
    (folder / "books" / "mill.txt").write_text("The mill was sold.", encoding="utf-8")
    (folder / "claims.json").write_text(json.dumps(list(claims)), encoding="utf-8")
    return folder


def test_claims_come_in_pairs_with_their_book(tmp_path: Path) -> None:
    rows = (claim("It burned.", true=False, index=7), claim("It was sold.", true=True, index=7))
    (book,) = read_nocha(written(tmp_path, *rows))
    (pair,) = book.pairs
    assert (book.name, book.document.text) == ("mill", "The mill was sold.")
    assert (pair.index, pair.true.text, pair.false.text) == (7, "It was sold.", "It burned.")
    assert pair.explanation == "It was sold."


@pytest.mark.parametrize(
    "claims",
    [[claim("a", true=True)], [claim("a", true=True), claim("b", true=True)], [claim("a", true=False)] * 3],
)
def test_claims_that_are_no_pair_are_an_error_that_names_them(tmp_path: Path, claims: list[JsonValue]) -> None:
    with pytest.raises(MalformedDocumentError, match="mill, 1"):
        read_nocha(written(tmp_path, *claims))


def test_a_missing_book_and_missing_claims_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"claims\.json"):
        read_nocha(tmp_path)
    folder = written(tmp_path, claim("a", true=True), claim("b", true=False))
    (folder / "books" / "mill.txt").unlink()
    with pytest.raises(DocumentError, match=r"mill\.txt"):
        read_nocha(folder)


def test_claims_of_another_shape_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match="book_title"):
        read_nocha(written(tmp_path, {"claim": "x"}))


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("<answer>TRUE</answer>", True),
        ("<explanation>TRUE enough</explanation>\n<answer>\n FALSE.</answer>", False),
        ("<Answer>false, not TRUE", False),
        ("TRUE", None),
        ("<answer>UNTRUE</answer>", None),
        ("", None),
    ],
)
def test_a_verdict_is_the_first_one_inside_the_answer_tag(reply: str, verdict: bool | None) -> None:
    assert read_verdict(reply) is verdict


def test_a_pair_is_right_where_both_claims_are_and_what_is_not_said_is_wrong() -> None:
    figures = pair_figures(
        [PairVerdicts(true=True, false=False), PairVerdicts(true=True, false=True), PairVerdicts(None, false=False)]
    )
    assert (figures.pairs, figures.claims, figures.unsaid) == (Share(1, 3), Share(4, 6), 1)


def test_a_system_that_was_not_asked_has_no_verdicts(tmp_path: Path) -> None:
    rows = (claim("a", true=True), claim("b", true=False, reply="SKIPPED"))
    (book,) = read_nocha(written(tmp_path, *rows))
    assert published_verdicts(book.pairs[0], "ada") is None
    assert published_verdicts(book.pairs[0], "bob") is None


@needs(FOLDER)
def test_published_replies_score_as_others_counted_them() -> None:
    """The counts are read where they are kept: the page on the data."""
    page = (DATA / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if "pairs right in the stored answers" in line]
    known = {name: (int(hits), int(cases)) for name, hits, cases in re.findall(r"response-(\S+) (\d+) of (\d+)", line)}
    pairs = [pair for book in read_nocha(FOLDER) for pair in book.pairs]
    assert len(pairs) == 30
    assert {system: _right(pairs, system) for system in known} == known
    assert len(known) == 5


def _right(pairs: list[ClaimPair], system: str) -> tuple[int, int]:
    verdicts = [found for pair in pairs if (found := published_verdicts(pair, system)) is not None]
    share = pair_figures(verdicts).pairs
    return share.hits, share.cases
