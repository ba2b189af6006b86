"""What is heavy is loaded by the module that needs it."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["engine", "scripted", "retry", "limiter", "budget", "catalogue", "gguf", "embedded"]
)
def test_modules_that_need_no_network_load_none(module: str) -> None:
    script = (
        f"import sys, longdoc.engines.{module}; print(sorted({{'httpx', 'xllamacpp', 'pydantic'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
