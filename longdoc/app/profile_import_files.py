"""Reading files of profiles piece by piece: JSONL, CSV, and LaMP's JSON arrays, whatever their length.

Owns where one entry ends and the next begins, and where in the file that is; what an entry says is left to
`profile_import_entries`.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, cast

from longdoc.app.profile_import_entries import Entry, Owner, entry_of, lamp_entries
from longdoc.errors import ConfigError

Bad = Callable[[str], None]
"""Told of an entry that cannot be used, and where it stands; may raise."""

LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes of a line, and of a field of CSV."""
LONGEST_ENTRY: Final = 256 * 1024 * 1024
"""Characters of an entry of an array."""
_BLOCK: Final = 1024 * 1024
_BOM = codecs.BOM_UTF8
_SPACE = " \t\r\n"
_CUT_WITHIN: Final = 12
"""So near its end a piece of JSON may be wrong only because it goes on."""
_COLUMNS = {"text", "output"}


class CountedFile:
    """A file that knows how much of it was read, in bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.done = 0

    def lines(self, bad: Bad) -> Iterator[tuple[int, bytes]]:
        """Its lines with their numbers, from 1; those that are too long are left out."""
        number = 0
        while line := self._line():
            number += 1
            if len(line) > LONGEST_LINE:
                while line and not line.endswith(b"\n"):
                    line = self._line()
                bad(f"line {number}: it is longer than {LONGEST_LINE:,} bytes")
                continue
            yield number, line.removeprefix(_BOM) if number == 1 else line

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at its end."""
        data = self._file.read(size)
        self.done += len(data)
        return data

    def _line(self) -> bytes:
        line = self._file.readline(LONGEST_LINE + 1)
        self.done += len(line)
        return line


def read_jsonl(file: CountedFile, owner: Owner, bad: Bad) -> Iterator[Entry]:
    """The entries of a file with one JSON object a line."""
    for number, line in file.lines(bad):
        if not line.strip():
            continue
        try:
            entry = entry_of(_object(line), owner)
        except ConfigError as error:
            bad(f"line {number}: {error}")
            continue
        yield entry


def read_csv(file: CountedFile, owner: Owner, bad: Bad) -> Iterator[Entry]:
    """The entries of a CSV file whose first line names the columns. Raises `ConfigError` where it does not."""
    csv.field_size_limit(LONGEST_LINE)
    # What is no UTF-8 becomes surrogates, which no text may have: the row is told, not the whole file.
    rows = csv.reader(line.decode("utf-8", "surrogateescape") for _, line in file.lines(bad))
    columns: list[str] = []
    while True:
        begins = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            bad(f"line {begins}: {error}")
            continue
        if not row:
            continue
        if not columns:
            columns = _columns(row)
            continue
        try:
            entry = entry_of(_row(columns, row), owner)
        except ConfigError as error:
            bad(f"line {begins}: {error}")
            continue
        yield entry


def read_lamp(file: CountedFile, owner: Owner, bad: Bad) -> Iterator[Entry]:
    """The items of a LaMP file, a user at a time. Raises `ConfigError` where it is no array, or breaks off."""
    for number, value in read_array(file):
        for one in lamp_entries(value, owner, number=number):
            if isinstance(one, str):
                bad(one)
            else:
                yield one


def read_array(file: CountedFile) -> Iterator[tuple[int, object]]:
    """The values of a JSON array with their numbers, from 1; no more of it is held than one of them, or a block.

    Raises `ConfigError` where it is none, and where a value is wrong or cut off, which nothing behind it can be read.
    """
    return _Array(file).values()


class _Array:
    def __init__(self, file: CountedFile) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def values(self) -> Iterator[tuple[int, object]]:
        if self._next() != "[":
            raise ConfigError("it is no JSON array of users; LaMP's files of questions are, those of outputs are not")
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
        data = self._file.read(max(_BLOCK, len(self._text)))
        self._ended = not data
        try:
            self._text += self._decode.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise ConfigError("it is no text in UTF-8") from error
        return not self._ended


def _object(line: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise ConfigError("it is no text in UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"it is no JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, nesting without end
        raise ConfigError(f"it cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError("it is no JSON object")
    return cast("dict[str, object]", value)


def _row(columns: list[str], row: list[str]) -> dict[str, object]:
    if len(row) > len(columns):
        raise ConfigError(f"it has {len(row)} columns, the first line has {len(columns)}")
    return {name: value for name, value in zip(columns, row, strict=False) if value}


def _columns(row: list[str]) -> list[str]:
    names = [name.strip().lower() for name in row]
    if not _COLUMNS.intersection(names):
        raise ConfigError(
            "its first line names no column 'text'; name the columns: user,task,key,text,output,at,source"
        )
    return names
