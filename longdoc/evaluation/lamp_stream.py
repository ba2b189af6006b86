"""A JSON list of objects, read one at a time: files of profiles are larger than memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO, TypeVar

from pydantic import BaseModel, ValidationError

from longdoc.errors import DocumentError, MalformedDocumentError

_CHUNK = 1 << 20
_LARGEST: Final = 1 << 27
"""Characters of one object; a file that needs more is not what it should be."""
_SPACE = " \t\r\n"

_Shape = TypeVar("_Shape", bound=BaseModel)


def read_objects(path: Path, shape: type[_Shape]) -> Iterator[_Shape]:
    """The objects of a file that holds one list of them, in order; of the file no more than the one that is read is
    held. Raises `DocumentError`, which names the object that has another shape."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, value in enumerate(_Objects(path, file), 1):
                yield _as(shape, value, f"{path}, object {number:,}")
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror})", source=str(path)) from error
    except UnicodeDecodeError as error:
        raise MalformedDocumentError("is no text in UTF-8", source=str(path)) from error


def digest_of(*paths: Path) -> str:
    """One digest of the content of files. Raises `DocumentError`."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise DocumentError(f"cannot be read ({error.strerror})", source=str(path)) from error
    return digest.hexdigest()


class _Objects:
    """The objects of a list."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._source = str(path)
        self._file = file
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._at = 0

    def __iter__(self) -> Iterator[object]:
        if self._next() != "[":
            raise MalformedDocumentError("is no JSON list of objects", source=self._source)
        self._at += 1
        if self._next() == "]":
            return
        while True:
            yield self._object()
            sign = self._next()
            self._at += 1
            if sign == "]":
                return
            if sign != ",":
                what = "ends within its list" if not sign else f"has {sign!r} where a comma should be"
                raise MalformedDocumentError(f"{what}; it may be cut", source=self._source)

    def _next(self) -> str:
        """The next sign that is no space, empty at the end of the file."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._buffer) or not self._more(_CHUNK):
                return self._buffer[self._at : self._at + 1]

    def _more(self, count: int) -> bool:
        """Read on, and forget what is behind; whether there was more."""
        text = self._file.read(count)
        self._buffer, self._at = self._buffer[self._at :] + text, 0
        return bool(text)

    def _object(self) -> object:
        if self._next() != "{":
            raise MalformedDocumentError("holds something that is no object", source=self._source)
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                held = len(self._buffer) - self._at
                if held > _LARGEST or not self._more(max(_CHUNK, held)):
                    raise MalformedDocumentError("is no JSON, or is cut", source=self._source) from error
            else:
                return value


def _as(shape: type[_Shape], value: object, source: str) -> _Shape:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "object"
        raise MalformedDocumentError(f"is not as it should be: {place}: {first['msg']}", source=source) from error
