"""When an answer goes round in circles: small models fall into writing the same again and again, up to any limit."""

from __future__ import annotations

from typing import Final

LOOP_TIMES: Final = 4
"""How often the same stretch ends an answer that loops."""
LOOP_TOKENS: Final = (20, 64)
"""The length of that stretch, which may itself be a shorter one many times over. vLLM looks after every token, in the
process that schedules all answers: up to 200 took it 0.1 ms each, up to 64 a quarter of that."""

_SHORTEST, _LONGEST = 80, 800
_LOOKED_AT = _LONGEST * LOOP_TIMES
_BETWEEN = 40


class LoopWatch:
    """Hears an answer in pieces and tells whether it loops. Looks every 40 characters, for that long at its end."""

    def __init__(self) -> None:
        self._tail = ""
        self._unseen = 0

    def loops(self, piece: str) -> bool:
        """Take the next piece; whether what has come so far ends in a loop."""
        self._tail = (self._tail + piece)[-_LOOKED_AT:]
        self._unseen += len(piece)
        if self._unseen < _BETWEEN:
            return False
        self._unseen = 0
        return ends_in_loop(self._tail)


def ends_in_loop(text: str) -> bool:
    """Whether a text ends with the same 80 to 800 characters four times in a row."""
    end = len(text)
    longest = min(_LONGEST, end // LOOP_TIMES)
    return any(
        text.endswith(text[-length:], 0, end - length) and text[-length:] * LOOP_TIMES == text[-length * LOOP_TIMES :]
        for length in range(_SHORTEST, longest + 1)
    )
