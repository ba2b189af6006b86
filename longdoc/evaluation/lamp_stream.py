"""A JSON list of objects, read one at a time: files of profiles are larger than memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from longdoc.documents.json_array import read_array
from longdoc.errors import ConfigError, DocumentError, MalformedDocumentError

_Shape = TypeVar("_Shape", bound=BaseModel)


def read_objects(path: Path, shape: type[_Shape]) -> Iterator[_Shape]:
    """The objects of a file that holds one list of them, in order; of the file no more than the one that is read is
    held. Raises `DocumentError`, which names the object that has another shape."""
    try:
        with path.open("rb") as file:
            for number, value in read_array(file.read):
                yield _as(shape, value, f"{path}, object {number:,}")
    except ConfigError as error:
        raise MalformedDocumentError(str(error), source=str(path)) from error
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror})", source=str(path)) from error


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


def _as(shape: type[_Shape], value: object, source: str) -> _Shape:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "object"
        raise MalformedDocumentError(f"is not as it should be: {place}: {first['msg']}", source=source) from error
