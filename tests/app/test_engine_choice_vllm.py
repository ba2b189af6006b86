"""Asking for vLLM: what is missing is said in one line, before anything is loaded."""

import asyncio

import pytest

from longdoc.app.engine_choice import choose_engine
from longdoc.config import Settings, VllmSettings
from longdoc.errors import ConfigError


@pytest.mark.parametrize(
    ("model", "says"), [(None, "needs a model"), ("smollm2-135m", "GGUF"), ("some/where.gguf", "embedded engine")]
)
def test_a_model_that_vllm_cannot_take_is_told_with_what_to_do(model: str | None, says: str) -> None:
    settings = Settings(engine="vllm", model=model)
    with pytest.raises(ConfigError, match=says):
        asyncio.run(choose_engine(settings, notify=lambda _: None, progress=lambda *_: None))


def test_settings_of_vllm_come_from_environment_and_leave_the_rest_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDA_VLLM__TENSOR_PARALLEL_SIZE", "2")
    monkeypatch.setenv("LDA_VLLM__ARGUMENTS", '{"block_size": 32}')
    settings = Settings().vllm
    assert settings.engine_arguments() == {"tensor_parallel_size": 2, "block_size": 32}
    assert str(VllmSettings()) == "as vLLM has it"
