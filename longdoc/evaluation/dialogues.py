"""Published sets of dialogues, in whatever format a folder or file has: SCM4LLMs, LoCoMo or LongMemEval.

Owns telling the formats apart; each is read by a module of its own, which names its source.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import Discriminator, JsonValue, Tag, TypeAdapter, ValidationError

from longdoc.errors import ConfigError, DocumentError, MalformedDocumentError, UnsupportedDocumentError
from longdoc.evaluation.dialogue import Dialogue
from longdoc.evaluation.dialogue_files import KNOWN_FORMATS, describe, require_some
from longdoc.evaluation.dialogues_locomo import LocomoSample
from longdoc.evaluation.dialogues_longmemeval import LongMemEvalInstance
from longdoc.evaluation.dialogues_scm import read_scm
from longdoc.evaluation.json_lines import read_file


def _format_of(value: JsonValue) -> str | None:
    match value:
        case {"conversation": _} | {"qa": _}:
            return "LoCoMo"
        case {"haystack_sessions": _}:
            return "LongMemEval"
        case _:
            return None


_Sample: TypeAlias = Annotated[
    Annotated[LocomoSample, Tag("LoCoMo")] | Annotated[LongMemEvalInstance, Tag("LongMemEval")],
    Discriminator(_format_of, custom_error_type="format", custom_error_message="this is of no known format"),
]
_SAMPLES: TypeAdapter[list[LocomoSample | LongMemEvalInstance]] = TypeAdapter(list[_Sample])


def read_dialogues(path: Path, gold: Path | None = None) -> list[Dialogue]:
    """The dialogues of a folder or file in any of the known formats, which is told by what it holds.

    Raises `UnsupportedDocumentError`, naming the formats, where it is in none of them, other `DocumentError`s where it
    cannot be read or breaks its format, and `ConfigError` for gold turns of a format that has its own.
    """
    if path.is_dir():
        return read_scm(path, gold)
    try:
        samples = _SAMPLES.validate_json(read_file(path))
    except ValidationError as error:
        raise _unreadable(error, path) from error
    if gold is not None:
        raise ConfigError(f"{path} tells its evidence itself: gold turns are for dialogues of SCM4LLMs only")
    return require_some([sample.dialogue() for sample in samples], path)


def _unreadable(error: ValidationError, path: Path) -> DocumentError:
    """What is wrong deep inside a sample is wrong with a known format."""
    if len(error.errors()[0]["loc"]) > 1:
        return MalformedDocumentError(describe(error), source=str(path))
    return UnsupportedDocumentError(f"{describe(error)}; known are {KNOWN_FORMATS}", source=str(path))
