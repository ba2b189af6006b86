"""What failures of vLLM at its start mean, by the words it uses for them."""

import pytest

from longdoc.engines.vllm_start import translate_start
from longdoc.errors import ConfigError, EngineLostError, ModelNotFoundError

CORE = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")


@pytest.mark.parametrize(
    "log",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
        "ValueError: Free memory on device cuda:0 (3.1/79.2 GiB) on startup is less than desired utilization",
        "ValueError: To serve one request, 7.00 GiB KV cache is needed, which is larger than the available KV",
    ],
)
def test_too_little_memory_tells_what_to_set(log: str) -> None:
    error = translate_start(CORE, f"INFO starting\n{log}\nRuntimeError: {CORE}", "m")
    assert isinstance(error, ConfigError)
    assert "context_window" in str(error)
    assert log.partition(": ")[2][:20] in str(error), "the cause, not what followed from it"
    assert "\n" not in str(error)


def test_a_model_that_is_nowhere_is_not_found() -> None:
    told = OSError("no/where is not a local folder and is not a valid model identifier listed on the hub")
    assert isinstance(translate_start(told, "", "no/where"), ModelNotFoundError)


def test_what_vllm_does_not_take_is_a_setting() -> None:
    error = translate_start(ValueError("User-specified max_model_len (9) is greater than the derived"), "", "m")
    assert isinstance(error, ConfigError)
    assert "max_model_len (9)" in str(error)


def test_anything_else_names_the_log_and_can_be_gone_on_with() -> None:
    error = translate_start(CORE, "OSError: [Errno 5] a card fell off the bus", "m")
    assert isinstance(error, EngineLostError)
    assert error.resumable
    assert not error.retryable
    assert "fell off the bus" in str(error)
    assert "vllm.log" in str(error)
