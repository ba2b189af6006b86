"""How relevant a segment is to a question, by the probabilities of the model that will answer it.

Source: "XL3M: A Training-free Framework for LLM Length Extension Based on Segment-wise Inference" (2024,
arXiv 2405.17755) for the entropy of the prediction; the other modes repair that a model can be sure of something
useless. Prompts, spellings and cut-offs are our own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from longdoc.agents.calls import ToldEngine, request_of
from longdoc.agents.events import Emit, Scored
from longdoc.agents.graph import run_graph
from longdoc.engines.engine import CompletionRequest, Engine, EngineInfo, TokenLogprob
from longdoc.engines.next_token import TokenDistribution, next_token, score
from longdoc.errors import ConfigError, ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, render

_LEAST_LABEL_MASS = 0.05
_WEAK_REST = 0.5
_QUESTION = "question"


class ScoringMode(StrEnum):
    """What is measured of the model's reaction to a segment with a question; those that are taken first stand first.

    `LIKELIHOOD`: how likely the model finds the question after the segment. `LABEL`: the probability of "yes" when
    asked whether the segment helps. `ENTROPY`: of the first token of the answer, lowest first (the paper). `CONTRAST`:
    how far it lies below that without a segment; segments that do not lower it are not kept.
    """

    LIKELIHOOD = "likelihood"
    LABEL = "label"
    ENTROPY = "entropy"
    CONTRAST = "contrast"


@dataclass(frozen=True, slots=True)
class Relevance:
    """How relevant a segment is: `value`, higher is better and None is unknown, and what it was worked out from.

    Values are comparable within one question, mode and engine. `share` says the same between 0 and 1, so that it can
    be taken together with the score of a search: the probability of "yes", the mean (geometric) probability of a token
    of the question over the highest of all segments, one over the perplexity of the answer's first token, or the part
    of that which the segment takes away. `kept` is False where the mode itself says that the segment does not help.
    `weak` tells that most of the probability lay outside of what the engine told.
    """

    value: float | None
    share: float | None
    kept: bool = True
    weak: bool = False
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


UNKNOWN: Final = Relevance(None, None)


def modes_of(info: EngineInfo) -> list[ScoringMode]:
    """The modes that an engine can compute, in the order of `ScoringMode`."""
    return [mode for mode in ScoringMode if (info.scores if mode is ScoringMode.LIKELIHOOD else info.logprobs)]


def require_mode(mode: ScoringMode, info: EngineInfo) -> None:
    """Raises `ConfigError`, which names the modes that can be computed, where this one cannot."""
    able = modes_of(info)
    if mode not in able:
        others = f"it can do {', '.join(able)}" if able else "it tells no probabilities at all"
        raise ConfigError(f"{info.model} cannot score segments by {mode}: {others}; or use --strategy retrieve")


class RelevanceScorer:
    """Scores segments for questions in one mode. Raises `ConfigError` where the engine cannot compute it."""

    def __init__(self, engine: Engine, mode: ScoringMode) -> None:
        require_mode(mode, engine.info)
        self._engine = engine
        self._mode = mode

    @property
    def approximate(self) -> bool:
        """Whether entropies are lower bounds, since the engine tells only the likeliest tokens."""
        return self._mode in {ScoringMode.ENTROPY, ScoringMode.CONTRAST} and not self._engine.info.entropy

    async def score(self, question: str, segments: Sequence[Quoted], *, emit: Emit) -> list[Relevance]:
        """The relevance of each segment, in their order; all are asked for at once, and each call is recorded.

        Identical segments are asked for once. A segment that is refused, does not fit or comes back without
        probabilities is unknown. Raises what `Engine.complete` raises else.
        """
        quoted = Quoted(question, {_QUESTION: question})
        told = ToldEngine(self._engine, purpose="relevance of a segment", emit=emit)
        without = await self._without(told, quoted)
        different = list({segment.text: segment for segment in segments}.values())
        found: dict[str, Relevance] = {}

        async def work(number: int) -> None:
            segment = different[number]
            try:
                found[segment.text] = await self._one(told, quoted, segment, without)
            except (ContextTooLongError, RequestRefusedError, InvalidOutputError):
                found[segment.text] = UNKNOWN
            emit(Scored(len(found), len(different)))

        await run_graph([()] * len(different), work)
        scored = [found[segment.text] for segment in segments]
        return relative(scored) if self._mode is ScoringMode.LIKELIHOOD else scored

    async def _without(self, engine: Engine, question: Quoted) -> TokenDistribution | None:
        """What the model would say with no segment at all."""
        if self._mode is not ScoringMode.CONTRAST:
            return None
        return await next_token(engine, _certainty(None, question))

    async def _one(
        self, engine: Engine, question: Quoted, segment: Quoted, without: TokenDistribution | None
    ) -> Relevance:
        if self._mode is ScoringMode.LABEL:
            return label_relevance(await next_token(engine, _request("relevance/label", segment, question)))
        if self._mode is ScoringMode.LIKELIHOOD:
            request = _plain(render("relevance/likelihood", {"segment": segment}))
            return likelihood_relevance(await score(engine, request, question.text))
        heard = await next_token(engine, _certainty(segment, question))
        return entropy_relevance(heard) if without is None else contrast_relevance(heard, without)


def entropy_relevance(told: TokenDistribution) -> Relevance:
    """By certainty alone: minus the entropy, in nats."""
    figures = {"entropy": told.entropy, "rest": told.rest}
    return Relevance(-told.entropy, math.exp(-told.entropy), weak=told.rest > _WEAK_REST, figures=figures)


def contrast_relevance(told: TokenDistribution, without: TokenDistribution) -> Relevance:
    """By how far the segment lowers the entropy. `divergence` is a lower bound of KL(with || without), in nats."""
    lowered = without.entropy - told.entropy
    figures = {"entropy": told.entropy, "rest": told.rest, "lowered": lowered, "divergence": divergence(told, without)}
    share = -math.expm1(min(0.0, -lowered))
    return Relevance(lowered, share, kept=lowered > 0, weak=told.rest > _WEAK_REST, figures=figures)


def likelihood_relevance(tokens: Sequence[TokenLogprob]) -> Relevance:
    """By the mean natural-log probability of the question's tokens; unknown for a question without any."""
    if not tokens:
        return UNKNOWN
    mean = math.fsum(token.logprob for token in tokens) / len(tokens)
    return Relevance(mean, math.exp(mean), figures={"mean_logprob": mean, "tokens": len(tokens)})


def relative(found: Sequence[Relevance]) -> list[Relevance]:
    """Likelihoods with their shares as parts of the highest one: few questions are likely at all, whatever is read."""
    most = max((one.share for one in found if one.share is not None), default=0.0)
    return [replace(one, share=one.share / most) if one.share is not None and most else one for one in found]


def label_relevance(told: TokenDistribution) -> Relevance:
    """By P(yes) / (P(yes) + P(no)), over all spellings; unknown where the two are hardly ever said."""
    yes, no = _mass(told, "yes"), _mass(told, "no")
    figures = {"yes": yes, "no": no, "rest": told.rest}
    if yes + no < _LEAST_LABEL_MASS:
        return replace(UNKNOWN, weak=True, figures=figures)
    probability = yes / (yes + no)
    return Relevance(probability, probability, weak=told.rest > _WEAK_REST, figures=figures)


def divergence(told: TokenDistribution, without: TokenDistribution) -> float:
    """The divergence of the tokens that both tell of, all others as one: never more than that of all tokens."""
    known, base = dict(told.top), dict(without.top)
    shared = sorted(known.keys() & base.keys())
    pairs = [(math.exp(known[token]), math.exp(base[token])) for token in shared]
    rest, base_rest = (max(0.0, 1.0 - math.fsum(column)) for column in _columns(pairs))
    pairs.append((rest, base_rest))
    return max(0.0, math.fsum(p * math.log(p / q) for p, q in pairs if p > 0 and q > 0))


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [p for p, _ in pairs], [q for _, q in pairs]


def _mass(told: TokenDistribution, word: str) -> float:
    return math.fsum(math.exp(logprob) for token, logprob in told.top if _bare(token) == word)


def _bare(token: str) -> str:
    return token.strip(" \t\n\N{LOWER ONE EIGHTH BLOCK}\u0120.,*\"'").casefold()


def _certainty(segment: Quoted | None, question: Quoted) -> CompletionRequest:
    return _plain(render("relevance/certainty", {"segment": segment, "question": question}))


def _request(name: str, segment: Quoted, question: Quoted) -> CompletionRequest:
    return _plain(render(name, {"segment": segment, "question": question}))


def _plain(prompt: RenderedPrompt) -> CompletionRequest:
    return request_of(prompt, max_tokens=1)
