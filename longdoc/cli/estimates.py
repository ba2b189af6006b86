"""What calls would take, told in the same words and fields by every command with a dry run."""

from __future__ import annotations

from typing import Protocol

from longdoc.engines.engine import EngineInfo, Usage
from longdoc.json_value import JsonValue


class CallsEstimate(Protocol):
    """How many calls, and how many tokens they read and write."""

    @property
    def calls(self) -> int:
        """Calls."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """Tokens read."""
        ...

    @property
    def completion_tokens(self) -> int:
        """Tokens written."""
        ...


def estimate_text(estimate: CallsEstimate, engine: EngineInfo, *, where: str = "") -> str:
    """As a part of a sentence; `where` stands behind the calls."""
    calls = "1 call" if estimate.calls == 1 else f"{estimate.calls:,} calls"
    return (
        f"{calls}{where}, about {estimate.prompt_tokens:,} tokens read and {estimate.completion_tokens:,} written, "
        f"${_cost(estimate, engine):.4f}"
    )


def estimate_json(estimate: CallsEstimate, engine: EngineInfo) -> dict[str, JsonValue]:
    """As fields for programs."""
    return {
        "calls": estimate.calls,
        "prompt_tokens": estimate.prompt_tokens,
        "completion_tokens": estimate.completion_tokens,
        "cost": _cost(estimate, engine),
    }


def _cost(estimate: CallsEstimate, engine: EngineInfo) -> float:
    return engine.cost(Usage(estimate.prompt_tokens, estimate.completion_tokens))
