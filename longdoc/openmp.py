"""How threads of OpenMP wait for each other, for all packages of this process that use it.

PyTorch, FAISS and llama.cpp mostly share one OpenMP library, which reads its settings once, when the first of them is
loaded. So whoever loads any of them sets all of it before.
"""

from __future__ import annotations

import os
from typing import Final

_SPINS: Final = 20_000
"""Of a thread that waits for another, before it sleeps: 61 tokens a second became 139 on two idle cores with a model of
135 million parameters, and 47 became 51 with two other programs on them. Where it was set only after PyTorch was
loaded, there were 57 instead of 90."""


def set_waiting() -> None:
    """Let threads that wait spin shortly, then sleep; where the environment does not say otherwise.

    Threads that spin for long stand still for each other when anything else runs on the machine (8 times slower was
    measured); threads that sleep at once are woken some hundred times a token, which small models wait for.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", str(_SPINS))
