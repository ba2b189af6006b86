from collections.abc import Sequence

from vllm.logprobs import FlatLogprobs, Logprob

class CompletionOutput:
    text: str
    token_ids: Sequence[int]
    logprobs: list[dict[int, Logprob]] | FlatLogprobs | None
    finish_reason: str | None
    stop_reason: int | str | None

class RequestOutput:
    outputs: list[CompletionOutput]
    prompt_token_ids: list[int] | None
    prompt_logprobs: list[dict[int, Logprob] | None] | None
    num_cached_tokens: int | None
    finished: bool
