"""The simulated engine: continuous batching on a virtual clock, without any I/O.

In each step every running sequence whose prompt is read gets one token, and what is left of the step's tokens reads
prompts, in order of arrival, in pieces where they do not fit (chunked prefill). The step that ends a prompt gives the
first token. Steps between which nothing changes are taken in one go.

Source: the scheduler of vLLM (Kwon et al., SOSP 2023) with chunked prefill (Agrawal et al., OSDI 2024), without
preemption.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.simulated_gpu.prefix_cache import PrefixCache
from benchmarks.simulated_gpu.settings import GpuSettings


@dataclass(frozen=True, slots=True)
class Job:
    """A prompt to read and an answer to write, in tokens; `blocks` are the prompt's full blocks by hash."""

    prompt_tokens: int
    answer_tokens: int
    blocks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.prompt_tokens < 1 or self.answer_tokens < 1:
            raise ValueError("a job reads and writes at least one token")


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is done. Times are engine seconds; `cached_tokens` of its prompt were not read again."""

    number: int
    job: Job
    cached_tokens: int
    submitted: float
    started: float
    finished: float


@dataclass(slots=True, eq=False)
class _Run:
    """A job in the engine; `last_step` is the step that gives its last token, once its prompt is read."""

    number: int
    job: Job
    submitted: float
    started: float = 0.0
    cached: int = 0
    to_read: int = 0
    last_step: int = 0
    cancelled: bool = False

    def written(self, steps: int) -> int:
        return self.job.answer_tokens - max(0, self.last_step - steps) if self.last_step else 0


@dataclass(frozen=True, slots=True)
class _Step:
    """A step under way: when it ends, and how much of which prompts it reads."""

    end: float
    pieces: tuple[tuple[_Run, int], ...]


class SimulatedGpu:
    """An engine that is told of jobs in order of time, and tells when they are done."""

    def __init__(self, settings: GpuSettings) -> None:
        self._settings = settings
        self._cache = PrefixCache(settings.cached_blocks)
        self._clock = 0.0
        self._steps = 0
        self._numbers = 0
        self._step: _Step | None = None
        self._waiting: deque[_Run] = deque()
        self._reading: list[_Run] = []
        self._decoding: dict[int, _Run] = {}
        self._last_steps: list[tuple[int, int]] = []
        self._context = 0
        self._done: list[Finished] = []
        self._prompt_tokens_read = 0

    @property
    def running(self) -> int:
        """Sequences in the batch."""
        return len(self._reading) + len(self._decoding)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._waiting)

    @property
    def steps(self) -> int:
        """Steps that are over."""
        return self._steps

    @property
    def prompt_tokens_read(self) -> int:
        """Tokens of prompts that were read so far, those from the cache not among them."""
        return self._prompt_tokens_read

    def submit(self, job: Job, *, at: float) -> int:
        """Queue a job at a time not before any told so far; returns its number. It can join the next step."""
        self._run_to(at)
        if not self.running and not self._waiting:
            self._clock = max(self._clock, at)
        self._numbers += 1
        self._waiting.append(_Run(self._numbers, job, at))
        return self._numbers

    def advance(self, until: float) -> list[Finished]:
        """Let time pass; returns what was done at or before `until` and not returned yet, in order."""
        self._run_to(until)
        done, self._done = self._done, []
        return done

    def next_event(self) -> float | None:
        """A time not after the next job is done if no other comes; None when idle."""
        if not self.running and not self._waiting:
            return None
        cost = self._settings.cost
        decoding, context, clock = len(self._decoding), self._context, self._clock
        if self._step is not None and self._step.pieces:
            return self._step.end
        if not self._only_decodes():
            return clock + cost.base if self._step is None else self._step.end
        return clock + cost.decode_steps(self._steps_to_next(), decoding=decoding, kv=context)

    def written(self, number: int) -> int:
        """Tokens of a job's answer that are there; 0 for one that waits, is read, or has left."""
        run = self._decoding.get(number)
        return run.written(self._steps) if run else 0

    def cancel(self, number: int, *, at: float) -> None:
        """Take a job out: its caller left. Does nothing where it is done."""
        self._run_to(at)
        for run in (*self._reading, *self._waiting, *self._decoding.values()):
            if run.number == number:
                self._remove(run)
                return

    def _remove(self, run: _Run) -> None:
        run.cancelled = True
        if run.number in self._decoding:
            self._leave(run)
        elif run in self._reading:
            self._reading.remove(run)
        else:
            self._waiting.remove(run)

    def _run_to(self, until: float) -> None:
        """Finish the steps that end by `until`, and begin one before it; never one at it, so that jobs can join."""
        while True:
            if self._step is not None:
                if self._step.end > until:
                    return
                self._finish(self._step)
            elif self._clock >= until or not (self.running or self._waiting):
                return
            elif not (self._only_decodes() and self._skip_to(until)):
                self._begin()

    def _only_decodes(self) -> bool:
        """Whether steps are alike until a sequence is done."""
        blocked = not self._waiting or self.running >= self._settings.sequences
        return blocked and not self._reading and bool(self._decoding)

    def _steps_to_next(self) -> int:
        while self._last_steps[0][1] not in self._decoding:
            heapq.heappop(self._last_steps)
        return self._last_steps[0][0] - self._steps

    def _skip_to(self, until: float) -> bool:
        """Take all steps up to the next that ends a sequence, or up to `until`; False where none fits."""
        decoding, context = len(self._decoding), self._context

        def seconds(count: int) -> float:
            return self._settings.cost.decode_steps(count, decoding=decoding, kv=context)

        most = self._steps_to_next()
        left = until - self._clock
        count = most if seconds(most) <= left else bisect_right(range(most), left, key=seconds) - 1
        if count < 1:
            return False
        self._pass(count, self._clock + seconds(count))
        return True

    def _begin(self) -> None:
        budget = self._settings.step_tokens - len(self._decoding)
        pieces: list[tuple[_Run, int]] = []
        for run in self._to_read():
            taken = min(budget, run.to_read)
            pieces.append((run, taken))
            budget -= taken
            if budget <= 0:
                break
        read = sum(taken for _, taken in pieces)
        self._prompt_tokens_read += read
        seconds = self._settings.cost.step(decoding=len(self._decoding), prefill=read, kv=self._context)
        self._step = _Step(self._clock + seconds, tuple(pieces))

    def _to_read(self) -> Iterator[_Run]:
        """Sequences whose prompt is not read yet, then those that wait, as far as there are places."""
        yield from tuple(self._reading)
        while self._waiting and self.running < self._settings.sequences:
            run = self._waiting.popleft()
            run.started = self._clock
            run.cached = self._cache.cached_tokens(run.job.blocks, prompt_tokens=run.job.prompt_tokens)
            run.to_read = run.job.prompt_tokens - run.cached
            self._reading.append(run)
            yield run

    def _finish(self, step: _Step) -> None:
        self._step = None
        self._pass(1, step.end)
        for run, taken in step.pieces:
            run.to_read -= taken
            if run.to_read == 0 and not run.cancelled:
                self._reading.remove(run)
                self._cache.add(run.job.blocks)
                self._first_token(run)

    def _first_token(self, run: _Run) -> None:
        run.last_step = self._steps + run.job.answer_tokens - 1
        self._decoding[run.number] = run
        self._context += run.job.prompt_tokens + 1
        if run.job.answer_tokens == 1:
            self._complete(run)
        else:
            heapq.heappush(self._last_steps, (run.last_step, run.number))

    def _pass(self, count: int, clock: float) -> None:
        """Give every decoding sequence `count` tokens, and let those go that are done."""
        self._clock = clock
        self._steps += count
        self._context += count * len(self._decoding)
        while self._last_steps and self._last_steps[0][0] <= self._steps:
            _, number = heapq.heappop(self._last_steps)
            if number in self._decoding:
                self._complete(self._decoding[number])

    def _complete(self, run: _Run) -> None:
        self._leave(run)
        self._done.append(Finished(run.number, run.job, run.cached, run.submitted, run.started, self._clock))

    def _leave(self, run: _Run) -> None:
        del self._decoding[run.number]
        self._context -= run.job.prompt_tokens + run.written(self._steps)
