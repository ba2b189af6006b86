"""The catalogue's small model as vLLM reads it: converted once from its GGUF file, on the machine that tests."""

import os
from pathlib import Path

from tests.models import MODELS, require_model

FOLDER = MODELS / "smollm2-135m-hf"


def require_weights() -> Path:
    """The folder with the weights, made where it is not there yet."""
    if FOLDER.is_dir():
        return FOLDER
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    gguf = require_model()
    made = FOLDER.with_name(f".{FOLDER.name}.{os.getpid()}")
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.save_pretrained(made)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(made)
    made.rename(FOLDER)
    return FOLDER
