"""Files of published sets: JSON, one value or one value a line, read into shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from longdoc.errors import DocumentError, MalformedDocumentError

_Shape = TypeVar("_Shape", bound=BaseModel)
_LIST = TypeAdapter(list[JsonValue])


def read_lines(path: Path, shape: type[_Shape]) -> Iterator[_Shape]:
    """The values of a file of lines, in order; blank lines are passed over.

    Raises `DocumentError` where it cannot be read, naming the line that has another shape.
    """
    for number, line in enumerate(read_file(path).split("\n"), 1):
        if line.strip():
            try:
                yield shape.model_validate_json(line)
            except ValidationError as error:
                raise _malformed(error, f"{path}, line {number}") from error


def read_list(path: Path, shape: type[_Shape]) -> list[_Shape]:
    """The values of a file that holds one list of them. Raises `DocumentError`, naming what has another shape."""
    try:
        return [shape.model_validate(value) for value in _LIST.validate_json(read_file(path))]
    except ValidationError as error:
        raise _malformed(error, str(path)) from error


def read_file(path: Path) -> str:
    """A file as text. Raises `DocumentError`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror})", source=str(path)) from error
    except ValueError as error:
        raise MalformedDocumentError("is no text in UTF-8", source=str(path)) from error


def _malformed(error: ValidationError, source: str) -> MalformedDocumentError:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "value"
    return MalformedDocumentError(f"is not as it should be: {place}: {first['msg']}", source=source)
