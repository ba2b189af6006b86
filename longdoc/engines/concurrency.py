"""Searching the best number of calls at once by watching how much gets done.

Pure: it is told of completed work and of refusals, with the time, and answers with a level. Ideas: slow start and
multiplicative decrease of TCP congestion control (Jacobson, 1988), with throughput as the signal where a server
queues instead of refusing (as in TCP Vegas; Brakmo and Peterson, 1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

_FEWEST_MEASURED = 16
_DOUBLING_GAIN = 1.05
_STEP_GAIN_SHARE = 0.15
_STEP_DOWN_LOSS = 0.98
_STEP = 0.25
_FIRST_HOLD = 4
_LONGEST_HOLD = 64
_BELOW_REFUSAL = 0.95
_FIRST_BELIEF = 8
_LONGEST_BELIEF = 128


class _Phase(Enum):
    DOUBLING = auto()
    HOLDING = auto()
    TRYING_UP = auto()
    TRYING_DOWN = auto()


@dataclass(slots=True)
class _Window:
    """A measurement at one level: answers that were under way at the change are let pass before it begins."""

    to_skip: int
    to_measure: int
    started: float = 0.0
    answers: int = 0
    work: float = 0.0
    busy: bool = True

    def add(self, work: float, *, now: float, busy: bool) -> bool:
        """Count an answer; whether the measurement is complete."""
        if self.to_skip > 0:
            self.to_skip -= 1
            self.started = now
            return False
        self.busy = self.busy and busy
        self.answers += 1
        self.work += work
        return self.answers >= self.to_measure and now > self.started

    def rate(self, now: float) -> float:
        """Work a second."""
        return self.work / (now - self.started)


class ConcurrencySearch:
    """Doubles the level while that pays, then holds it and tries a step up or down now and then.

    A refusal during a trial ends the trial, a refusal otherwise halves the level; for a while the level then stays
    below where the refusal was. Trials become rarer while nothing changes.
    """

    def __init__(self, *, start: int, most: int) -> None:
        self._most = most
        self._level = start
        self._base = start
        self._base_rate = 0.0
        self._phase = _Phase.DOUBLING
        self._up_next = True
        self._hold = _FIRST_HOLD
        self._held = 0
        self._ceiling: int | None = None
        self._belief = _FIRST_BELIEF
        self._believed = 0
        self._window = _Window(start, max(_FEWEST_MEASURED, start))

    def completed(self, work: float, *, now: float, busy: bool) -> int:
        """Count an answer; `busy` tells that all places were taken. Returns the level from now on."""
        if self._window.add(work, now=now, busy=busy):
            before = self._level
            if self._window.busy:  # else the level was not what held things up, and nothing is learned
                self._judge(self._window.rate(now))
            self._window = self._next_window(now, changed=self._level != before)
        return self._level

    def refused(self, *, now: float) -> int:
        """Hear of a refusal of a call that started at this level. Returns the level from now on."""
        self._ceiling, self._believed = self._level, self._belief
        self._belief = min(_LONGEST_BELIEF, self._belief * 2)
        if self._phase is _Phase.TRYING_UP:
            self._settle(self._base)
        else:
            self._settle(max(1, self._level // 2))
            self._base_rate = 0.0
        self._hold = 1
        self._window = self._next_window(now, changed=True)
        return self._level

    def _judge(self, rate: float) -> None:
        match self._phase:
            case _Phase.DOUBLING:
                self._judge_doubling(rate)
            case _Phase.HOLDING:
                self._judge_holding(rate)
            case _Phase.TRYING_UP:
                gain = 1 + (self._level / self._base - 1) * _STEP_GAIN_SHARE
                self._judge_step(rate, kept=rate >= self._base_rate * gain)
            case _Phase.TRYING_DOWN:
                self._judge_step(rate, kept=rate >= self._base_rate * _STEP_DOWN_LOSS)

    def _judge_doubling(self, rate: float) -> None:
        if rate < self._base_rate * _DOUBLING_GAIN:
            self._settle(self._base)
            return
        self._base, self._base_rate = self._level, rate
        if self._level >= self._most:
            self._settle(self._level)
        self._level = min(self._most, self._level * 2)

    def _judge_holding(self, rate: float) -> None:
        self._base_rate = (self._base_rate + rate) / 2 if self._base_rate else rate
        self._believed -= 1
        if self._believed <= 0:
            self._ceiling = None
        self._held += 1
        if self._held >= self._hold:
            self._try_step()

    def _judge_step(self, rate: float, *, kept: bool) -> None:
        if not kept:
            self._settle(self._base)
            self._up_next = not self._up_next
            self._hold = min(_LONGEST_HOLD, self._hold * 2)
            return
        # A step down is kept for being no worse: what was reached above it stays the measure, or steps would add up.
        self._base_rate = rate if self._phase is _Phase.TRYING_UP else max(rate, self._base_rate)
        self._settle(self._level)
        self._hold = 1

    def _try_step(self) -> None:
        step = max(1, round(self._base * _STEP))
        up, down = min(self._base + step, self._highest()), max(1, self._base - step)
        if self._up_next and up > self._base:
            self._phase, self._level = _Phase.TRYING_UP, up
        elif not self._up_next and down < self._base:
            self._phase, self._level = _Phase.TRYING_DOWN, down
        else:
            self._held = 0
            self._up_next = not self._up_next

    def _highest(self) -> int:
        """The highest level to try, below a refusal that is still believed."""
        if self._ceiling is None:
            return self._most
        return max(self._base, min(self._ceiling - 1, int(self._ceiling * _BELOW_REFUSAL)))

    def _settle(self, level: int) -> None:
        self._phase = _Phase.HOLDING
        self._level = self._base = level
        self._held = 0

    def _next_window(self, now: float, *, changed: bool) -> _Window:
        return _Window(self._level if changed else 0, max(_FEWEST_MEASURED, self._level), started=now)
