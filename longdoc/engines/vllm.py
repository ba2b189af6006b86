"""vLLM in this process: a model on one GPU or several, fed without HTTP between.

Owns prompts, sampling and the reading of answers; getting vLLM to run is `vllm_start`'s. vLLM batches whatever is
under way (continuous batching) and keeps the keys and values of prompts it has read (prefix cache), so prompts that
begin alike are read once. Interactive requests go before others.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from longdoc.config import VllmSettings
from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    TextSink,
)
from longdoc.engines.loops import LOOP_TIMES, LOOP_TOKENS
from longdoc.engines.vllm_answers import HeardAnswer, HeardScores, read_answer, read_scores, tells_entropy
from longdoc.engines.vllm_start import describe, identity_of, plan_engine, start_engine
from longdoc.errors import (
    ConfigError,
    ContextTooLongError,
    EngineError,
    EngineLostError,
    EngineTimeoutError,
    EngineUnavailableError,
    LdaError,
    RequestRefusedError,
)

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.exceptions import VLLMError
    from vllm.outputs import RequestOutput
    from vllm.sampling_params import SamplingParams
    from vllm.tokenizers import TokenizerLike
    from vllm.v1.engine.async_llm import AsyncLLM

_FIRST, _USUAL = 0, 1
_T = TypeVar("_T")


class VllmEngine:
    """A model that vLLM runs in processes of this one. Made by `open`; loaded at the first call, which takes longer."""

    def __init__(
        self, config: VllmConfig, tokenizer: TokenizerLike, info: EngineInfo, *, timeout: float | None
    ) -> None:
        self._config = config
        self._tokenizer = tokenizer
        self._info = info
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, "vllm-tokens")  # tokenizers are not made for several threads at once
        self._starting = asyncio.Lock()
        self._running: AsyncLLM | None = None
        self._lost: LdaError | None = None
        self._numbers = itertools.count()

    @classmethod
    async def open(
        cls,
        model: str,
        *,
        settings: VllmSettings | None = None,
        context_window: int | None = None,
        timeout: float | None = 600.0,  # noqa: ASYNC109 - of later calls, not of this one
    ) -> VllmEngine:
        """Plan to run `model` (a folder, or a name of the hub) with `settings`; nothing is loaded yet.

        `context_window` (tokens) is the model's own where not given; `timeout` is in seconds, for one whole answer.
        Raises `ConfigError` where vLLM is missing or does not take the settings, `ModelNotFoundError`.
        """
        arguments = (settings or VllmSettings()).engine_arguments()
        config = await asyncio.to_thread(plan_engine, model, arguments, context_window=context_window)
        tokenizer = await asyncio.to_thread(_load_tokenizer, config, model)
        identity = await asyncio.to_thread(identity_of, config, model)
        parallel = config.parallel_config.data_parallel_size
        info = EngineInfo(
            engine="vllm",
            model=os.path.basename(model.rstrip("/")) or model,  # noqa: PTH119 - of a hub's name too
            identity=identity,
            context_window=config.model_config.max_model_len,
            slots=config.scheduler_config.max_num_seqs * parallel,
            logprobs=config.model_config.get_vocab_size(),
            entropy=True,
            scores=True,
            json_schema=True,
            exact_tokens=True,
        )
        return cls(config, tokenizer, info, timeout=timeout)

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    @property
    def description(self) -> str:
        """Which vLLM it is, and on what it runs."""
        return describe(self._config)

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        started = time.perf_counter()
        prompt = await self._in_thread(lambda: self._prompt(request))
        given = await self._in_thread(lambda: self._encode(request.continuation or ""))
        self._check_fits(request, len(prompt) + len(given))
        if request.continuation is not None:
            heard = await self._scored(request, prompt, given)
            return await self._in_thread(lambda: read_scores(heard, self._info, started=started))
        last = await self._output(request, prompt, _sampling(request, streamed=on_text is not None), on_text)
        answer = HeardAnswer(request, last, self._tokenizer)
        return await self._in_thread(lambda: read_answer(answer, self._info, started=started))

    async def _scored(self, request: CompletionRequest, prompt: list[int], given: list[int]) -> HeardScores:
        """A prompt that ends with the given text, read with the probabilities of its tokens.

        What the cache of prefixes knows is not computed again, so nothing is told of it. Where that goes beyond the
        prompt (it keeps whole blocks, and another text began alike), those few tokens are asked for one by one.
        """
        whole = await self._output(request, prompt + given, _given_sampling())
        known = range(min(len(given), max(0, (whole.num_cached_tokens or 0) + 1 - len(prompt))))
        first = await asyncio.gather(
            *(self._output(request, prompt + given[:n], _next_sampling(given[n])) for n in known)
        )
        return HeardScores(request, whole, first, given, self._tokenizer)

    async def _output(
        self, request: CompletionRequest, tokens: list[int], params: SamplingParams, on_text: TextSink | None = None
    ) -> RequestOutput:
        """The last output of an answer, which holds the whole of it."""
        engine = await self._started()
        from vllm.exceptions import VLLMError

        sent = 0
        last: RequestOutput | None = None
        try:
            async with asyncio.timeout(self._timeout), self._answers(engine, tokens, params, request) as outputs:
                async for output in outputs:
                    last = output
                    text = output.outputs[0].text
                    if on_text is not None and len(text) > sent:
                        on_text(text[sent:])
                        sent = len(text)
        except TimeoutError as error:
            raise EngineTimeoutError(f"vLLM gave no whole answer within {self._timeout:g} s") from error
        except (VLLMError, ValueError) as error:
            raise self._translated(error, len(tokens)) from error
        if last is None:
            raise EngineUnavailableError("vLLM ended its answer before it began")
        return last

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._in_thread(lambda: [len(self._encode(text)) for text in texts])

    async def aclose(self) -> None:
        """See `Engine`."""
        running, self._running = self._running, None
        self._lost = self._lost or EngineLostError("this engine was closed")
        if running is not None:
            await asyncio.to_thread(running.shutdown)
        self._thread.shutdown(wait=False)

    async def _started(self) -> AsyncLLM:
        async with self._starting:
            if self._lost is not None:
                raise self._lost
            if self._running is None:
                try:
                    self._running = await asyncio.to_thread(start_engine, self._config, self._info.model)
                except LdaError as error:
                    self._lost = error
                    raise
            return self._running

    @asynccontextmanager
    async def _answers(
        self, engine: AsyncLLM, tokens: list[int], params: SamplingParams, request: CompletionRequest
    ) -> AsyncGenerator[AsyncGenerator[RequestOutput, None], None]:
        """The pieces of an answer; whoever leaves early frees the place at once."""
        priority = _FIRST if request.interactive else _USUAL
        number = f"longdoc-{next(self._numbers)}"
        prompt = {"type": "token", "prompt_token_ids": tokens}
        outputs = engine.generate(prompt, params, number, priority=priority)
        try:
            yield outputs
        finally:
            await outputs.aclose()

    def _prompt(self, request: CompletionRequest) -> list[int]:
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            return self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=False
            )
        except Exception as error:  # a template raises what it likes
            raise RequestRefusedError(f"the chat template of {self._info.model} does not take this: {error}") from error

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False) if text else []

    def _check_fits(self, request: CompletionRequest, prompt_tokens: int) -> None:
        window = self._info.context_window
        if prompt_tokens + request.max_tokens > window:
            raise ContextTooLongError(
                f"{prompt_tokens} tokens and an answer of {request.max_tokens} do not fit the window of {window}",
                prompt_tokens=prompt_tokens,
                context_window=window,
            )

    def _translated(self, error: VLLMError | ValueError, prompt_tokens: int) -> EngineError:
        """What an error of vLLM's means."""
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError

        match error:
            case EngineDeadError():
                lost = EngineLostError("vLLM died; run the same command again to go on from here")
                self._lost = lost
                return lost
            case VLLMClientError() if "longer than the maximum" in str(error):
                window = self._info.context_window
                return ContextTooLongError(str(error), prompt_tokens=prompt_tokens, context_window=window)
            case VLLMClientError() | ValueError():
                return RequestRefusedError(f"vLLM refuses: {' '.join(str(error).split())[:300]}")
            case _:
                return EngineUnavailableError(f"vLLM could not answer: {error.__cause__ or error}")

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _load_tokenizer(config: VllmConfig, model: str) -> TokenizerLike:
    from vllm.tokenizers import cached_tokenizer_from_config

    tokenizer = cached_tokenizer_from_config(config.model_config)
    if not getattr(tokenizer, "chat_template", "assumed"):
        raise ConfigError(f"{model} has no chat template: it is no model that answers; take its instruct variant")
    return tokenizer


def _sampling(request: CompletionRequest, *, streamed: bool) -> SamplingParams:
    from vllm.sampling_params import (
        RepetitionDetectionParams,
        RequestOutputKind,
        SamplingParams,
        StructuredOutputsParams,
    )

    schema = None if request.json_schema is None else StructuredOutputsParams(json=dict(request.json_schema))
    whole_vocabulary = tells_entropy(request)
    shortest, longest = LOOP_TOKENS
    loops = RepetitionDetectionParams(max_pattern_size=longest, min_pattern_size=shortest, min_count=LOOP_TIMES)
    return SamplingParams(
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        top_p=1.0 if request.top_p is None else request.top_p,
        frequency_penalty=request.frequency_penalty or 0.0,
        seed=request.seed,
        stop=list(request.stop) or None,
        structured_outputs=schema,
        repetition_detection=None if schema is not None else loops,
        logprobs=-1 if whole_vocabulary else request.logprobs or None,
        flat_logprobs=whole_vocabulary,  # an object for each token of the vocabulary would take longer than the model
        detokenize=not whole_vocabulary,
        output_kind=RequestOutputKind.CUMULATIVE if streamed else RequestOutputKind.FINAL_ONLY,
    )


def _given_sampling() -> SamplingParams:
    """Probabilities of a prompt, but for what the cache of prefixes knows, which vLLM would read again unless told."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        prompt_logprobs=0,
        skip_reading_prefix_cache=False,
        detokenize=False,  # at places that were not computed stand no tokens
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _next_sampling(token: int) -> SamplingParams:
    """`token` as the only answer; its probability is told as it was before the choice was taken away."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        logprobs=0,
        allowed_token_ids=[token],
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
