"""What is simulated: the cost of a step, and the limits of the scheduler.

The defaults stand for an 8-billion-parameter model in 16 bits on one H100 under vLLM. They are worked out from the
data sheet, not measured: 3.35 TB/s and 989 TFLOP/s, of which a served model reaches about 80 % and 50 %.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BLOCK_TOKENS = 16
"""Tokens of a block of the prefix cache, as in vLLM."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """Seconds of one engine step: `base + sequence * decoding + prefill * prompt tokens read + kv * tokens looked at`.

    `base` reads 16 GB of weights (6.0 ms) and schedules (1.0 ms). `sequence` samples a token and sends it on.
    `prefill` is 2 * 8e9 operations. `kv` reads the keys and values of one token of context, 128 KiB (32 layers, 8
    heads of 128, two of 16 bits). What a prompt's own tokens look at is left out: under 5 % at 2,000 tokens.
    """

    base: float = 0.007
    sequence: float = 0.000_015
    prefill: float = 0.000_032
    kv: float = 0.000_000_05

    def step(self, *, decoding: int, prefill: int, kv: int) -> float:
        """Seconds of a step with so many sequences decoding, prompt tokens read and tokens of context."""
        return self.base + self.sequence * decoding + self.prefill * prefill + self.kv * kv

    def decode_steps(self, count: int, *, decoding: int, kv: int) -> float:
        """Seconds of `count` steps without prompts: in each the context grows by a token a sequence."""
        grown = decoding * count * (count - 1) / 2
        return count * (self.base + self.sequence * decoding + self.kv * kv) + self.kv * grown


@dataclass(frozen=True, slots=True)
class GpuSettings:
    """Limits of the scheduler: sequences at once, tokens a step, and blocks that the prefix cache keeps.

    `cached_blocks` is 0 for no prefix cache. The memory for contexts is taken as large enough for all sequences.
    """

    sequences: int = 256
    step_tokens: int = 8192
    cached_blocks: int = 25_000
    cost: StepCost = field(default_factory=StepCost)

    def __post_init__(self) -> None:
        if self.sequences < 1 or self.step_tokens <= self.sequences:
            raise ValueError("a step needs a token for each sequence and at least one for a prompt")
