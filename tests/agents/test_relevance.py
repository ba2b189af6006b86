"""XL3M's modes on an engine whose probabilities are known."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.events import CallFinished, Event, Scored
from longdoc.agents.relevance import (
    UNKNOWN,
    Relevance,
    RelevanceScorer,
    ScoringMode,
    contrast_relevance,
    divergence,
    entropy_relevance,
    label_relevance,
    likelihood_relevance,
    modes_of,
    relative,
)
from longdoc.agents.segment_ranking import (
    Candidate,
    CascadeRanker,
    ExhaustiveRanker,
    by_both,
    by_relevance,
)
from longdoc.documents.document import SectionRole
from longdoc.documents.segments import Segment
from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, TokenLogprob, Usage
from longdoc.engines.next_token import TokenDistribution, distribution_of, entropy_of
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted
from longdoc.retrieval.hits import Hit

_QUESTION = "Where is the key?"


def _says(probabilities: dict[str, float]) -> Completion:
    top = tuple((token, math.log(p)) for token, p in probabilities.items())
    return Completion(
        top[0][0], FinishReason.STOP, Usage(10, 1), "scripted", logprobs=(TokenLogprob(*top[0], top=top),)
    )


def _told(probabilities: dict[str, float]) -> TokenDistribution:
    return distribution_of(_says(probabilities).logprobs[0])


def _engine(answer: Callable[[str], Completion]) -> ScriptedEngine:
    return ScriptedEngine(lambda request: answer(request.messages[-1].content), logprobs=20)


def _quoted(texts: Sequence[str]) -> list[Quoted]:
    return [Quoted(text, {"text": text}) for text in texts]


def _score(engine: ScriptedEngine, mode: ScoringMode, texts: Sequence[str]) -> list[Relevance]:
    return asyncio.run(RelevanceScorer(engine, mode).score(_QUESTION, _quoted(texts), emit=lambda _: None))


def test_entropy_is_0_for_certainty_and_that_of_the_vocabulary_for_none() -> None:
    assert entropy_relevance(_told({"cellar": 1.0})).figures["entropy"] == 0.0
    even = entropy_relevance(_told({str(i): 0.05 for i in range(20)}))
    assert even.value == pytest.approx(-math.log(20))
    assert not even.weak


def test_an_entropy_of_which_most_is_not_told_is_weak() -> None:
    assert entropy_relevance(_told({"a": 0.2, "b": 0.1})).weak


@given(st.lists(st.floats(0.001, 1.0), min_size=2, max_size=12), st.integers(1, 12))
def test_the_rest_as_one_token_never_raises_entropy(weights: list[float], kept: int) -> None:
    total = sum(weights)
    probabilities = sorted((weight / total for weight in weights), reverse=True)
    bucketed = entropy_of([*probabilities[:kept], max(0.0, 1 - sum(probabilities[:kept]))])
    assert bucketed <= entropy_of(probabilities) + 1e-9


def test_contrast_keeps_only_what_makes_the_model_surer() -> None:
    without = _told({"a": 0.5, "b": 0.5})
    helps, harms = (
        contrast_relevance(_told({"a": 1.0}), without),
        contrast_relevance(_told({"a": 0.5, "b": 0.5}), without),
    )
    assert (helps.kept, harms.kept) == (True, False)
    assert helps.value == pytest.approx(math.log(2))
    assert (helps.share, harms.share) == (pytest.approx(0.5), 0.0)
    assert helps.figures["divergence"] == pytest.approx(math.log(2))


def test_divergence_of_equal_distributions_is_0() -> None:
    told = _told({"a": 0.5, "b": 0.3})
    assert divergence(told, told) == pytest.approx(0.0)


def test_label_sums_the_spellings() -> None:
    relevance = label_relevance(_told({" Yes": 0.3, "yes": 0.1, "NO": 0.1, "maybe": 0.5}))
    assert relevance.value == relevance.share == pytest.approx(0.8)


@given(st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=6), st.lists(st.floats(-200.0, 0.0), min_size=1, max_size=9))
def test_in_every_mode_the_share_lies_between_0_and_1_and_grows_with_the_value(
    masses: list[float], logprobs: list[float]
) -> None:
    total = math.fsum(masses)
    told = [_told({"yes": masses[0] / total, "no": masses[1] / total}), _told({"yes": 0.9, "no": 0.1})]
    scored = [[TokenLogprob("x", one) for one in logprobs], [TokenLogprob("x", -1.0)]]
    for pair in (
        [label_relevance(one) for one in told],
        [entropy_relevance(one) for one in told],
        [contrast_relevance(one, _told({"yes": 0.5, "no": 0.5})) for one in told],
        [likelihood_relevance(one) for one in scored],
    ):
        known = sorted((one.value, one.share) for one in pair if one.value is not None and one.share is not None)
        assert all(0.0 <= share <= 1.0 for _, share in known)
        assert [share for _, share in known] == sorted(share for _, share in known)


def test_label_without_either_word_is_unknown() -> None:
    assert label_relevance(_told({"The": 0.9, "yes": 0.01})).value is None


def test_the_segment_stands_before_the_question_and_the_instruction_first() -> None:
    for mode in (ScoringMode.LABEL, ScoringMode.ENTROPY):
        engine = _engine(lambda _: _says({"yes": 1.0}))
        _score(engine, mode, ["The key is in the cellar."])
        user = engine.calls[-1].messages[-1].content
        assert user.index("cellar") < user.index(_QUESTION)
        assert _QUESTION not in engine.calls[-1].messages[0].content


def test_a_certain_model_finds_the_needle_by_entropy() -> None:
    engine = _engine(lambda prompt: _says({"cellar": 0.99} if "cellar" in prompt else {"a": 0.5, "b": 0.5}))
    values = [relevance.value or 0 for relevance in _score(engine, ScoringMode.ENTROPY, ["fog", "cellar", "rain"])]
    assert max(range(3), key=values.__getitem__) == 1


def test_a_decoy_that_makes_sure_is_told_from_the_needle_by_label_only() -> None:
    def answer(prompt: str) -> Completion:
        if "Does the text help" in prompt:
            return _says({"yes": 0.9, "no": 0.1} if "cellar" in prompt else {"yes": 0.1, "no": 0.9})
        return _says({"the": 1.0} if "decoy" in prompt else {"a": 0.6, "b": 0.4})

    texts = ["a decoy", "the cellar", "rain"]
    best = {}
    for mode in (ScoringMode.ENTROPY, ScoringMode.LABEL):
        values = [relevance.value or 0 for relevance in _score(_engine(answer), mode, texts)]
        best[mode] = texts[max(range(3), key=values.__getitem__)]
    assert best == {ScoringMode.ENTROPY: "a decoy", ScoringMode.LABEL: "the cellar"}


def test_identical_segments_are_asked_for_once() -> None:
    engine = _engine(lambda _: _says({"yes": 1.0}))
    assert len(_score(engine, ScoringMode.LABEL, ["same", "same", "other"])) == 3
    assert len(engine.calls) == 2


def test_a_refused_segment_is_unknown_and_the_others_are_scored() -> None:
    def answer(request: CompletionRequest) -> Completion:
        if "bad" in request.messages[-1].content:
            raise RequestRefusedError("no")
        return _says({"yes": 1.0})

    found = _score(ScriptedEngine(answer, logprobs=5), ScoringMode.LABEL, ["good", "bad"])
    assert [relevance.value for relevance in found] == [1.0, None]


def test_a_mode_that_cannot_be_computed_is_refused_with_those_that_can() -> None:
    engine = ScriptedEngine(logprobs=5)
    assert modes_of(engine.info) == [ScoringMode.LABEL, ScoringMode.ENTROPY, ScoringMode.CONTRAST]
    assert modes_of(replace(engine.info, scores=True))[0] is ScoringMode.LIKELIHOOD
    assert modes_of(replace(engine.info, scores=True, logprobs=0)) == [ScoringMode.LIKELIHOOD]
    with pytest.raises(ConfigError, match=r"likelihood: it can do label, entropy, contrast"):
        RelevanceScorer(engine, ScoringMode.LIKELIHOOD)
    with pytest.raises(ConfigError, match="no probabilities at all"):
        RelevanceScorer(ScriptedEngine(), ScoringMode.LABEL)


def test_progress_and_calls_are_told() -> None:
    events: list[Event] = []
    scorer = RelevanceScorer(_engine(lambda _: _says({"yes": 1.0})), ScoringMode.LABEL)
    asyncio.run(scorer.score(_QUESTION, _quoted(["a", "b"]), emit=events.append))
    assert [event for event in events if isinstance(event, Scored)] == [Scored(1, 2), Scored(2, 2)]
    assert sum(isinstance(event, CallFinished) for event in events) == 2


def _yes(probability: float) -> Completion:
    return _says({"yes": probability, "no": 1.0 - probability})


def _hit(number: int) -> Hit:
    return Hit("book", Segment(number, number * 10, number * 10 + 10, 3, SectionRole.BODY, None), 1 / (number + 1))


def _candidate(number: int, value: float | None, *, kept: bool = True) -> Candidate:
    return Candidate(_hit(number), Relevance(value, value, kept=kept))


def _found(score: float, share: float | None, number: int) -> Candidate:
    return Candidate(replace(_hit(number), score=score), Relevance(share, share))


def _numbers(candidates: Sequence[Candidate]) -> list[int]:
    return [candidate.hit.segment.index for candidate in candidates]


def test_unknown_segments_keep_their_place() -> None:
    candidates = [_candidate(0, 0.1), _candidate(1, None), _candidate(2, 0.9), _candidate(3, 0.5)]
    assert _numbers(by_relevance(candidates)) == [2, 1, 3, 0]


def test_segments_that_do_not_help_are_left_out() -> None:
    assert _numbers(by_relevance([_candidate(0, -1.0, kept=False), _candidate(1, 1.0)])) == [1]


def test_where_none_helps_all_are_left() -> None:
    assert _numbers(by_relevance([_candidate(0, -2.0, kept=False), _candidate(1, -1.0, kept=False)])) == [1, 0]


def test_an_answer_without_probabilities_leaves_its_segment_unknown() -> None:
    def answer(request: CompletionRequest) -> str | Completion:
        return "yes" if "bad" in request.messages[-1].content else _says({"yes": 1.0})

    found = _score(ScriptedEngine(answer, logprobs=5), ScoringMode.LABEL, ["good", "bad"])
    assert [relevance.value for relevance in found] == [1.0, None]


def test_equal_relevance_keeps_the_order() -> None:
    assert _numbers(by_relevance([_candidate(n, 0.5) for n in range(4)])) == [0, 1, 2, 3]


def test_a_sure_model_decides_over_the_order_of_the_search() -> None:
    candidates = [_found(0.7, 0.1, 0), _found(0.6, 0.1, 1), _found(0.4, 0.9, 2), _found(0.3, 0.0, 3)]
    assert _numbers(by_both(candidates)) == [2, 0, 1, 3]


def test_a_model_that_tells_nothing_apart_leaves_the_order() -> None:
    assert _numbers(by_both([_found(0.5 - 0.05 * n, 0.01 * (n % 3), n) for n in range(9)])) == list(range(9))
    assert _numbers(by_both([_found(0.5, 0.3, n) for n in range(9)])) == list(range(9))


def test_an_unknown_segment_counts_as_the_average() -> None:
    assert _numbers(by_both([_found(0.5, 0.0, 0), _found(0.5, None, 1), _found(0.5, 0.6, 2)])) == [2, 1, 0]
    assert _numbers(by_both([_found(0.5, None, n) for n in range(3)])) == [0, 1, 2]


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_both_orders_together_lose_no_segment(shares: list[float | None]) -> None:
    ordered = _numbers(by_both([_found(0.5, share, number) for number, share in enumerate(shares)]))
    assert sorted(ordered) == list(range(len(shares)))


class _Searcher:
    async def search(self, question: str, *, k: int) -> Sequence[Hit]:
        return [_hit(number) for number in range(k)]


class _Parts:
    """Two parts of each odd segment, none of the first, one of the others."""

    async def parts(self, question: str, hits: Sequence[Hit], *, count: int) -> Sequence[Sequence[Hit]]:
        assert (question, count) == (_QUESTION, len(hits))
        shares = [range(0 if n == 0 else 1 + n % 2) for n in range(len(hits))]
        return [
            [replace(hit, segment=replace(hit.segment, start=part, tokens=1)) for part in some]
            for hit, some in zip(hits, shares, strict=True)
        ]


async def _texts(hits: Sequence[Hit]) -> Sequence[Quoted]:
    numbers = [hit.segment.index for hit in hits]
    if any(hit.segment.tokens == 1 for hit in hits):
        return [Quoted(f"part {hit.segment.start} of page {hit.segment.index}", {}) for hit in hits]
    return [Quoted("the same page" if n in {1, 4} else f"page {n}", {"page": n}) for n in numbers]


def test_the_cascade_scores_what_the_search_left() -> None:
    worth = {"part 0 of page 1": 0.2, "part 1 of page 1": 0.8, "part 0 of page 2": 0.5}
    engine = _engine(lambda prompt: _yes(next(p for part, p in worth.items() if part in prompt)))
    scorer = RelevanceScorer(engine, ScoringMode.LABEL)
    ranker = CascadeRanker(_Searcher(), _Parts(), _texts, scorer, prefiltered=3, alone=True)
    ranked = asyncio.run(ranker.rank(_QUESTION, emit=lambda _: None))
    assert _numbers(ranked) == [1, 0, 2, *range(3, 64)]  # the first as the least, before an equal one
    assert [candidate.relevance and candidate.relevance.value for candidate in ranked[:3]] == [0.8, 0.5, 0.5]
    assert {candidate.hit.segment.tokens for candidate in ranked} == {3}  # whole segments, whatever was scored
    assert len(engine.calls) == 3


def test_segments_without_a_part_that_was_scored_count_as_the_least_that_is_known() -> None:
    def told(prompt: str) -> Completion:
        return _yes(0.1 if "part 0 of page 1" in prompt else 0.9) if "page 2" not in prompt else _says({"?": 1.0})

    scorer = RelevanceScorer(_engine(told), ScoringMode.LABEL)
    ranker = CascadeRanker(_Searcher(), _Parts(), _texts, scorer, prefiltered=4, alone=True)
    found = {c.hit.segment.index: c.relevance for c in asyncio.run(ranker.rank(_QUESTION, emit=lambda _: None))[:4]}
    assert {number: one and one.value for number, one in found.items()} == {0: 0.9, 1: 0.9, 2: None, 3: 0.9}
    assert found[0] is not None
    assert not found[0].figures  # of another one


def test_likelihoods_are_taken_as_parts_of_the_highest_of_a_question() -> None:
    shares = [0.002, 0.001, None, 0.0005]
    found = [Relevance(None if share is None else math.log(share), share) for share in shares]
    assert [one.share for one in relative(found)] == [1.0, 0.5, None, 0.25]
    assert relative([UNKNOWN]) == [UNKNOWN]


def test_exhaustive_scoring_takes_repeated_pages_once() -> None:
    engine = _engine(lambda prompt: _says({"yes": 1.0} if "same" in prompt else {"no": 1.0}))
    ranker = ExhaustiveRanker([_hit(n) for n in range(6)], _texts, RelevanceScorer(engine, ScoringMode.LABEL))
    assert _numbers(asyncio.run(ranker.rank(_QUESTION, emit=lambda _: None))) == [1, 0, 2, 3, 5]
