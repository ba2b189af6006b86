from collections.abc import Mapping
from enum import Enum

class RequestOutputKind(Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2

class StructuredOutputsParams:
    def __init__(self, *, json: str | Mapping[str, object] | None = None) -> None: ...

class RepetitionDetectionParams:
    def __init__(self, *, max_pattern_size: int = 0, min_pattern_size: int = 0, min_count: int = 0) -> None: ...

class SamplingParams:
    def __init__(
        self,
        *,
        max_tokens: int | None = 16,
        temperature: float = 1.0,
        top_p: float = 1.0,
        frequency_penalty: float = 0.0,
        seed: int | None = None,
        stop: list[str] | None = None,
        structured_outputs: StructuredOutputsParams | None = None,
        repetition_detection: RepetitionDetectionParams | None = None,
        logprobs: int | None = None,
        prompt_logprobs: int | None = None,
        flat_logprobs: bool = False,
        skip_reading_prefix_cache: bool | None = None,
        detokenize: bool = True,
        allowed_token_ids: list[int] | None = None,
        output_kind: RequestOutputKind = ...,
    ) -> None: ...
