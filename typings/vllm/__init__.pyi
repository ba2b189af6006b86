from collections.abc import Sequence

from vllm.outputs import RequestOutput
from vllm.sampling_params import SamplingParams as SamplingParams

class EngineCoreClient:
    def shutdown(self) -> None: ...

class LLMEngine:
    engine_core: EngineCoreClient

class LLM:
    llm_engine: LLMEngine
    def __init__(self, **arguments: object) -> None: ...
    def chat(
        self, messages: Sequence[Sequence[dict[str, str]]], sampling_params: SamplingParams, *, use_tqdm: bool = True
    ) -> list[RequestOutput]: ...
