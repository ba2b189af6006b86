"""Distributions and scores read from calls."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, Message, TokenLogprob, Usage
from longdoc.engines.next_token import distribution_of, entropy_of, next_token, score
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError

REQUEST = CompletionRequest((Message("user", "Yes or no?"),), max_tokens=50, temperature=0.7, seed=3)

probabilities = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=60).map(lambda ps: [p / sum(ps) for p in ps])


def place(kept: list[float], entropy: float | None = None) -> TokenLogprob:
    ranked = sorted(kept, reverse=True)
    return TokenLogprob("a", math.log(ranked[0]), tuple((str(n), math.log(p)) for n, p in enumerate(ranked)), entropy)


@given(st.integers(2, 1000))
def test_the_entropy_of_an_even_distribution_is_the_logarithm_of_its_size(size: int) -> None:
    assert entropy_of([1 / size] * size) == pytest.approx(math.log(size))


def test_a_certain_token_has_no_entropy() -> None:
    assert distribution_of(TokenLogprob("a", 0.0, (("a", 0.0), ("b", -math.inf)))).entropy == 0.0


@given(probabilities, st.integers(1, 60))
def test_with_few_alternatives_the_entropy_is_a_lower_bound_whose_error_is_bounded(ps: list[float], k: int) -> None:
    whole = entropy_of(ps)
    kept = sorted(ps, reverse=True)[:k]
    bound = distribution_of(place(kept))
    left_out = max(0, len(ps) - k)
    assert not bound.exact
    assert bound.entropy <= whole + 1e-9
    assert whole <= bound.entropy + bound.rest * math.log(max(1, left_out)) + 1e-9


def test_the_engine_s_own_entropy_is_taken_as_exact() -> None:
    told = distribution_of(place([0.5, 0.25], entropy=1.25))
    assert (told.entropy, told.exact, told.rest) == (1.25, True, pytest.approx(0.25))


def test_one_token_is_asked_for_whatever_the_request_says() -> None:
    def answer(request: CompletionRequest) -> Completion:
        return Completion("a", FinishReason.LENGTH, Usage(3, 1), "scripted", logprobs=(place([0.9, 0.05]),))

    engine = ScriptedEngine(answer, logprobs=5)
    told = asyncio.run(next_token(engine, REQUEST))
    (asked,) = engine.calls
    assert (asked.max_tokens, asked.temperature, asked.seed, asked.logprobs, asked.entropy) == (1, 0.0, None, 5, False)
    assert told.top[0][1] == pytest.approx(math.log(0.9))


def test_an_engine_that_tells_no_probabilities_is_refused_before_a_call() -> None:
    engine = ScriptedEngine()
    with pytest.raises(ConfigError):
        asyncio.run(next_token(engine, REQUEST))
    with pytest.raises(ConfigError):
        asyncio.run(score(engine, REQUEST, "Yes."))
    assert engine.calls == []
