"""Reading what vLLM gives back: answers, distributions over the whole vocabulary, scores of given texts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
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
class Heard:
    """A request, its last output, which holds the whole answer, and the tokens of a given continuation."""

    request: CompletionRequest
    output: RequestOutput
    given: Sequence[int]
    tokenizer: TokenizerLike


def read_answer(heard: Heard, info: EngineInfo, *, started: float) -> Completion:
    """The completion that an output is; `started` is its beginning by `time.perf_counter`.

    Raises `EngineUnavailableError` where vLLM broke the answer off.
    """
    seconds = time.perf_counter() - started
    if heard.request.continuation is not None:
        usage = _usage(heard, written=0)
        return Completion(heard.request.continuation, FinishReason.STOP, usage, info.model, seconds, _scores(heard))
    said = heard.output.outputs[0]
    reason = _FINISH.get(said.finish_reason or "")
    if reason is None:
        raise EngineUnavailableError(f"vLLM broke off its answer (finish reason {said.finish_reason!r})")
    usage = _usage(heard, written=len(said.token_ids))
    if not tells_entropy(heard.request):
        return Completion(said.text, reason, usage, info.model, seconds, _logprobs(heard))
    token = _whole_distribution(heard)
    text = "" if reason is FinishReason.STOP else token.token  # the one token may be the end of the answer
    return Completion(text, reason, usage, info.model, seconds, (token,))


def tells_entropy(request: CompletionRequest) -> bool:
    """Whether the distribution of the one token over the whole vocabulary is read."""
    return request.entropy and request.max_tokens == 1 and request.continuation is None


def _usage(heard: Heard, *, written: int) -> Usage:
    return Usage(len(heard.output.prompt_token_ids or ()), written, heard.output.num_cached_tokens or 0)


def _logprobs(heard: Heard) -> tuple[TokenLogprob, ...]:
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


def _whole_distribution(heard: Heard) -> TokenLogprob:
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


def _scores(heard: Heard) -> tuple[TokenLogprob, ...]:
    """Each token of the given text with its log-probability."""
    places = heard.output.prompt_logprobs
    if places is None or len(places) < len(heard.given):
        raise EngineUnavailableError("vLLM told no probabilities of the text it was given")
    start = len(places) - len(heard.given)
    scored: list[TokenLogprob] = []
    for number, token in enumerate(heard.given):
        place = places[start + number]
        if place is None:  # only the first token of a prompt has no probability, and a prompt has more
            raise EngineUnavailableError("vLLM left out a probability of the text it was given")
        scored.append(TokenLogprob(_decoded(heard.tokenizer, token), place[token].logprob))
    return tuple(scored)


def _decoded(tokenizer: TokenizerLike, token: int) -> str:
    return str(tokenizer.decode([token]))
