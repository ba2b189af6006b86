"""Benchmarks are run by their names."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import main


def test_a_name_that_is_not_known_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guess"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("there is no benchmark 'guess'; choose from: long_texts, ")
    names = ("gold_recall", "index_speed", "relevance_efficiency", "needle_recall", "question_sets", "real_books")
    assert all(name in told for name in names)
