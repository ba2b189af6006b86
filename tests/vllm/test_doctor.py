"""`lda doctor --engine vllm` says what it found."""

from pathlib import Path

from tests.e2e.command import Lda


def test_the_doctor_tells_which_vllm_it_is_and_what_it_can_do(tmp_path: Path, weights: Path) -> None:
    lda = Lda(tmp_path, {"LDA_ENGINE": "vllm", "LDA_MODEL": str(weights), "LDA_VLLM__ENFORCE_EAGER": "true"})
    found = {check["name"]: check for check in lda.json("doctor", LDA_CONTEXT_WINDOW="2048")["checks"]}
    assert "vLLM 0." in found["engine"]["detail"]
    assert "2,048 tokens" in found["window"]["detail"]
    assert {found[name]["verdict"] for name in ("answers", "json schema", "logprobs", "tokens")} == {"well"}
