"""Files of published dialogues: the shapes, the dates and the errors that all formats share.

Owns how a file is read into a shape; the shapes themselves are those of the formats, a module each.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue, TypeAdapter, ValidationError

from longdoc.errors import EmptyDocumentError, MalformedDocumentError
from longdoc.evaluation.dialogue import Dialogue
from longdoc.evaluation.json_lines import read_file

KNOWN_FORMATS: Final = (
    "SCM4LLMs (a folder with dialogue_en.json and questions_en.json, or in other languages), "
    "LoCoMo (a list of samples with conversation and qa) and "
    "LongMemEval (a list of instances with haystack_sessions)"
)

_DATES = "%I:%M %p on %d %B, %Y", "%Y/%m/%d (%a) %H:%M"
"""How LoCoMo and LongMemEval write dates: "1:56 pm on 8 May, 2023", "2023/05/20 (Sat) 02:21"."""

_Read = TypeVar("_Read")


def _parsed(value: JsonValue) -> JsonValue | datetime:
    """A date in the words of a set; what is written otherwise (ISO 8601) is left to pydantic."""
    if isinstance(value, str):
        for form in _DATES:
            with suppress(ValueError):
                return datetime.strptime(value.strip(), form).replace(tzinfo=UTC)
    return value


def _zoned(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Date: TypeAlias = Annotated[datetime, BeforeValidator(_parsed), AfterValidator(_zoned)]
"""When something was said, in UTC where no zone is named."""


class Shape(BaseModel):
    """What a file of a published set holds, as far as it is read."""

    model_config = ConfigDict(coerce_numbers_to_str=True)  # answers are numbers now and then


def read_shape(path: Path, shape: TypeAdapter[_Read]) -> _Read:
    """What a file holds. Raises `DocumentError` where it cannot be read, naming what has another shape."""
    try:
        return shape.validate_json(read_file(path))
    except ValidationError as error:
        raise MalformedDocumentError(describe(error), source=str(path)) from error


def require_some(dialogues: list[Dialogue], path: Path) -> list[Dialogue]:
    """The dialogues of a file or folder. Raises `EmptyDocumentError` where there are none."""
    if not dialogues:
        raise EmptyDocumentError("holds no dialogue", source=str(path))
    return dialogues


def describe(error: ValidationError) -> str:
    """What is wrong with a file, and where in it."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "value"
    return f"is not as it should be: {place}: {first['msg']}"
