from collections.abc import AsyncGenerator, Mapping

from vllm.config import VllmConfig
from vllm.outputs import RequestOutput
from vllm.sampling_params import SamplingParams

class AsyncLLM:
    @classmethod
    def from_vllm_config(cls, vllm_config: VllmConfig) -> AsyncLLM: ...
    def generate(
        self, prompt: Mapping[str, object], sampling_params: SamplingParams, request_id: str, *, priority: int = 0
    ) -> AsyncGenerator[RequestOutput]: ...
    def shutdown(self, timeout: float | None = None) -> None: ...
