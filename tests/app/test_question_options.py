"""What an evaluation of questions makes of its options."""

import tracemalloc
from dataclasses import replace

import pytest

from longdoc.app.question_options import ThreadOptions, TrialOptions, key_texts
from longdoc.errors import ConfigError
from longdoc.evaluation.threads import ThreadKind

TRIAL = TrialOptions(lengths=(4_000, 200_000))


def test_texts_of_keys_are_made_one_after_the_other() -> None:
    """Twenty texts of 800,000 characters are told of, and none is there before it is asked for."""
    options = ThreadOptions((ThreadKind.CONDITIONAL,), each=20, trial=TRIAL)
    tracemalloc.start()
    count, texts = key_texts(options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40
    assert peak < 500_000
    assert next(texts).cases[0].length == 4_000
    assert sum(1 for _ in key_texts(replace(options, each=2))[1]) == 4


def test_a_length_too_short_for_keys_is_told_before_any_text_is_made() -> None:
    with pytest.raises(ConfigError, match="too short"):
        key_texts(ThreadOptions(trial=replace(TRIAL, lengths=(200_000, 100))))
