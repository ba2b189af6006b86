"""A JSON array of any length, read a value at a time: no more of it is held than one value, or a block."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Final

from longdoc.errors import ConfigError

LONGEST_ENTRY: Final = 256 * 1024 * 1024
"""Characters of a value."""
_BLOCK: Final = 1024 * 1024
_SPACE = " \t\r\n"
_CUT_WITHIN: Final = 12
"""So near its end a piece of JSON may be wrong only because it goes on."""


def read_array(read: Callable[[int], bytes]) -> Iterator[tuple[int, object]]:
    """The values of an array with their numbers, from 1; `read` gives the next bytes, at most so many, none at the end.

    Raises `ConfigError` where it is none, and where a value is wrong or cut off, since nothing behind it can be read.
    """
    return _Array(read).values()


class _Array:
    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def values(self) -> Iterator[tuple[int, object]]:
        if self._next() != "[":
            raise ConfigError("it is no JSON array, as LaMP's files of questions are; those of outputs are none")
        self._at += 1
        number = 0
        if self._next() != "]":
            while True:
                number += 1
                yield number, self._value(number)
                mark = self._next()
                self._at += 1
                if mark == "]":
                    break
                if mark != ",":
                    raise ConfigError(f"after entry {number}: there is neither a comma nor the end of the array")
        else:
            self._at += 1
        if self._next():
            raise ConfigError("there is something after the end of the array")

    def _next(self) -> str:
        """The next sign that is no space, "" at the end; where it stands is `_at`."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _value(self, number: int) -> object:
        if not self._next():
            raise ConfigError(f"it ends before entry {number}: it is not whole")
        while True:
            try:
                value, self._at = self._scan(self._text, self._at)
                return value
            except json.JSONDecodeError as error:
                reason = f"entry {number}: {error.msg}"
                goes_on = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _CUT_WITHIN
            except (ValueError, RecursionError) as error:  # numbers of thousands of digits, nesting without end
                raise ConfigError(f"entry {number} cannot be read: {error}") from error
            if not goes_on:
                raise ConfigError(reason)
            if len(self._text) - self._at > LONGEST_ENTRY:
                raise ConfigError(f"entry {number} is larger than {LONGEST_ENTRY:,} characters; write it as JSONL")
            if not self._more():
                raise ConfigError(f"it ends within entry {number}: it is not whole")

    def _more(self) -> bool:
        """Read on, as much again as is held: a long entry is not begun over and over. Whether there was more."""
        if self._ended:
            return False
        self._text = self._text[self._at :]
        self._at = 0
        data = self._read(max(_BLOCK, len(self._text)))
        self._ended = not data
        try:
            self._text += self._decode.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise ConfigError("it is no text in UTF-8") from error
        return not self._ended
