"""What a model would say next, and how likely it finds a given text: read from one call each.

Both are calls like any other, so ledger, budget, limiter and retry serve them as they serve answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from longdoc.engines.engine import CompletionRequest, Engine, TokenLogprob
from longdoc.errors import ConfigError, InvalidOutputError

ALTERNATIVES = 20


@dataclass(frozen=True, slots=True)
class TokenDistribution:
    """The distribution of the first token of an answer, at temperature 1.

    `top` are the likeliest tokens with their natural-log probabilities, the likeliest first; `rest` is the
    probability of all others together. `entropy` is in nats: that of the whole vocabulary where `exact`, else a lower
    bound that counts the rest as one token (never more than `rest * ln(vocabulary)` too low).
    """

    top: tuple[tuple[str, float], ...]
    rest: float
    entropy: float
    exact: bool


async def next_token(
    engine: Engine, request: CompletionRequest, *, alternatives: int = ALTERNATIVES
) -> TokenDistribution:
    """The distribution of the first token of the answer to a request, whose own limits do not count.

    Source of the bound: a distribution coarsened to fewer outcomes has no more entropy. Raises `ConfigError` where
    the engine tells no probabilities, `InvalidOutputError` where it told none this once, and what `Engine.complete`
    raises.
    """
    able = engine.info
    if not able.logprobs:
        raise ConfigError(f"{able.model} tells no probabilities of tokens; use an engine that does ('lda doctor')")
    asked = replace(
        request,
        max_tokens=1,
        temperature=0.0,
        top_p=None,
        seed=None,
        logprobs=min(alternatives, able.logprobs),
        entropy=able.entropy,
    )
    answer = await engine.complete(asked)
    if not answer.logprobs:
        raise InvalidOutputError(f"{able.model} told no probabilities though it can")
    return distribution_of(answer.logprobs[0])


def distribution_of(token: TokenLogprob) -> TokenDistribution:
    """The distribution at a token's place, from its alternatives."""
    probabilities = [math.exp(logprob) for _, logprob in token.top]
    rest = max(0.0, 1.0 - sum(probabilities))
    if token.entropy is not None:
        return TokenDistribution(token.top, rest, token.entropy, exact=True)
    return TokenDistribution(token.top, rest, entropy_of([*probabilities, rest]), exact=False)


def entropy_of(probabilities: Sequence[float]) -> float:
    """- sum p ln p, in nats; what has probability 0 adds nothing."""
    return -math.fsum(p * math.log(p) for p in probabilities if p > 0.0) + 0.0


async def score(engine: Engine, request: CompletionRequest, continuation: str) -> tuple[TokenLogprob, ...]:
    """The tokens of `continuation` as the answer to a request, each with its log-probability given what is before it.

    No call is made for an empty one. Raises `ConfigError` where the engine cannot score, and what `Engine.complete`
    raises.
    """
    if not engine.info.scores:
        raise ConfigError(
            f"{engine.info.model} cannot tell how likely a given text is; vLLM can ('--engine vllm'), and the embedded "
            "engine ('--engine embedded')"
        )
    if not continuation:
        return ()
    plain = replace(request, temperature=0.0, top_p=None, seed=None, logprobs=None, entropy=False, stop=())
    return (await engine.complete(replace(plain, max_tokens=1, continuation=continuation))).logprobs
