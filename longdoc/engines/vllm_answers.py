"""Reading what vLLM gives back: answers, distributions over the whole vocabulary, scores of given texts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    FinishReason,
    TokenLogprob,
    Usage,
)
from longdoc.errors import EngineUnavailableError

if TYPE_CHECKING:
    from vllm.logprobs import FlatLogprobs, Logprob
    from vllm.outputs import RequestOutput
    from vllm.tokenizers import TokenizerLike

_FINISH = {"stop": FinishReason.STOP, "repetition": FinishReason.LOOP, "length": FinishReason.LENGTH}
_LEAST_LOGPROB = -1e9


@dataclass(frozen=True, slots=True)
class HeardAnswer:
    """A request and its last output, which holds the whole answer."""

    request: CompletionRequest
    output: RequestOutput
    tokenizer: TokenizerLike


@dataclass(frozen=True, slots=True)
class HeardScores:
    """A prompt that ends with a given text of tokens `given`, read; `first` holds an answer for each of its first
    tokens that was not computed then."""

    request: CompletionRequest
    whole: RequestOutput
    first: Sequence[RequestOutput]
    given: Sequence[int]
    tokenizer: TokenizerLike


def read_answer(heard: HeardAnswer, info: EngineInfo, *, started: float) -> Completion:
    """The completion that an output is; `started` is its beginning by `time.perf_counter`.

    Raises `EngineUnavailableError` where vLLM broke the answer off.
    """
    seconds = time.perf_counter() - started
    said = heard.output.outputs[0]
    reason = _FINISH.get(said.finish_reason or "")
    if reason is None:
        raise EngineUnavailableError(f"vLLM broke off its answer (finish reason {said.finish_reason!r})")
    usage = _usage(heard.output, written=len(said.token_ids))
    if not tells_entropy(heard.request):
        return Completion(said.text, reason, usage, info.model, seconds, _logprobs(heard))
    token = _whole_distribution(heard)
    text = "" if reason is FinishReason.STOP else token.token  # the one token may be the end of the answer
    return Completion(text, reason, usage, info.model, seconds, (token,))


def read_scores(heard: HeardScores, info: EngineInfo, *, started: float) -> Completion:
    """The given text with the log-probability of each of its tokens.

    Raises `EngineUnavailableError` where vLLM left one out.
    """
    scored: list[TokenLogprob] = []
    for token, place in zip(heard.given, _places(heard), strict=True):
        if place is None or token not in place:
            raise EngineUnavailableError("vLLM left out a probability of the text it was given")
        scored.append(TokenLogprob(_decoded(heard.tokenizer, token), place[token].logprob))
    outputs = [_usage(output, written=0) for output in (heard.whole, *heard.first)]
    computed = sum(one.prompt_tokens - one.cached_tokens for one in outputs)
    usage = Usage(outputs[0].prompt_tokens, 0, max(0, outputs[0].prompt_tokens - computed))
    seconds = time.perf_counter() - started
    text = heard.request.continuation or ""
    return Completion(text, FinishReason.STOP, usage, info.model, seconds, tuple(scored))


def _places(heard: HeardScores) -> Iterator[Mapping[int, Logprob] | None]:
    """What was told at the place of each given token; vLLM tells the last ones of a prompt, or all of them."""
    for output in heard.first:
        told = output.outputs[0].logprobs
        yield told[0] if isinstance(told, list) and told else None
    count = len(heard.given) - len(heard.first)
    told = list(heard.whole.prompt_logprobs or ())[-count:] if count else []
    yield from (None for _ in range(count - len(told)))
    yield from told


def tells_entropy(request: CompletionRequest) -> bool:
    """Whether the distribution of the one token over the whole vocabulary is read."""
    return request.entropy and request.max_tokens == 1 and request.continuation is None


def _usage(output: RequestOutput, *, written: int) -> Usage:
    return Usage(len(output.prompt_token_ids or ()), written, output.num_cached_tokens or 0)


def _logprobs(heard: HeardAnswer) -> tuple[TokenLogprob, ...]:
    """Each token of the answer with its alternatives; the mark of its end is no part of it."""
    said = heard.output.outputs[0]
    if not isinstance(said.logprobs, list):
        return ()
    places = list(zip(said.token_ids, said.logprobs, strict=False))
    if said.finish_reason == "stop" and said.stop_reason is None:
        places = places[:-1]
    most = heard.request.logprobs or 0
    return tuple(_token(chosen, place, most) for chosen, place in places)


def _token(chosen: int, place: Mapping[int, Logprob], most: int) -> TokenLogprob:
    likeliest = sorted(place.values(), key=lambda one: -one.logprob)[:most]
    told = place[chosen]
    return TokenLogprob(
        told.decoded_token or "", told.logprob, tuple((one.decoded_token or "", one.logprob) for one in likeliest)
    )


def _whole_distribution(heard: HeardAnswer) -> TokenLogprob:
    """The one token of the answer, its likeliest alternatives, and the entropy of the whole vocabulary."""
    import numpy as np

    flat: FlatLogprobs = heard.output.outputs[0].logprobs  # pyright: ignore[reportAssignmentType]
    # The chosen token stands first and once more at its own place.
    ids, logprobs = np.asarray(flat.token_ids[1:]), np.asarray(flat.logprobs[1:], dtype=np.float64)
    logprobs = np.maximum(logprobs, _LEAST_LOGPROB)
    logprobs -= np.log(np.exp(logprobs).sum())
    entropy = float(-(np.exp(logprobs) * logprobs).sum())
    likeliest = np.argsort(-logprobs, kind="stable")[: heard.request.logprobs or 0]
    top = tuple((_decoded(heard.tokenizer, int(ids[i])), float(logprobs[i])) for i in likeliest)
    return TokenLogprob(_decoded(heard.tokenizer, flat.token_ids[0]), flat.logprobs[0], top, max(0.0, entropy))


def _decoded(tokenizer: TokenizerLike, token: int) -> str:
    return str(tokenizer.decode([token]))
