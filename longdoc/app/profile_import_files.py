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
from longdoc.documents.json_array import read_array
from longdoc.errors import ConfigError

Bad = Callable[[str], None]
"""Told of an entry that cannot be used, and where it stands; may raise."""

LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes of a line, and of a field of CSV."""
_BOM = codecs.BOM_UTF8
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
    for number, value in read_array(file.read):
        for one in lamp_entries(value, owner, number=number):
            if isinstance(one, str):
                bad(one)
            else:
                yield one


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
