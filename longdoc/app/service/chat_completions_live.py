"""Answers that are sent while they are written: up to what ends them, and at their end only what is not sent yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.app.orchestrator import DoResult
from longdoc.app.service.chat_completions_replies import Finish, beginning, written


@dataclass(slots=True)
class Live:
    """Takes what is written piece by piece; `stops` are texts that end it, `most_tokens` is an estimate."""

    stops: Sequence[str]
    most_tokens: int | None
    sent: str = ""
    finish: Finish | None = None
    _waiting: str = ""

    def take(self, piece: str) -> str:
        """What of it can be sent now; the beginning of what may be a stop waits."""
        if self.finish is not None:
            return ""
        self._waiting += piece
        ends = [at for at in map(self._waiting.find, self.stops) if at >= 0]
        if ends:
            self._waiting, self.finish = self._waiting[: min(ends)], "stop"
        held = 0 if ends else max((_begun(self._waiting, stop) for stop in self.stops), default=0)
        return self._send(len(self._waiting) - held)

    def rest(self, result: DoResult) -> tuple[str, Finish]:
        """What is left to send once the result is there, and why the answer ends."""
        answer = written(result, stops=self.stops, most_tokens=self.most_tokens)
        if not self.sent and self.finish is None:
            return answer.text, answer.finish
        if self.finish is not None:
            return (_under(answer.listed) if self.finish == "stop" else ""), self.finish
        if answer.text.startswith(self.sent.rstrip()):
            begun = self.sent if answer.text.startswith(self.sent) else self.sent.rstrip()
            return answer.text[len(begun) :], answer.finish
        waiting = self._waiting
        if _words(result.text) in _words(self.sent + waiting):  # what stands around it is only not shown elsewhere
            return waiting + _under(answer.listed), answer.finish
        return f"\n\n{answer.text}", answer.finish

    def _send(self, end: int) -> str:
        sent = self.sent + self._waiting[:end]
        if self.most_tokens is not None and (cut := beginning(sent, self.most_tokens)) != sent:
            sent, self.finish = cut, "length"
        new, self.sent = sent[len(self.sent) :], sent
        self._waiting = self._waiting[end:]
        return new


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text may be the beginning of a stop."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)


def _words(text: str) -> str:
    return " ".join(text.split())


def _under(listed: str) -> str:
    return f"\n\n{listed}" if listed else ""
