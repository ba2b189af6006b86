"""Sets of questions about users, from files: LaMP's own, and folders in the shape of its title tasks.

LaMP: `[{id, input, profile}]` with `{task, golds: [{id, output}]}`, each input with its profile. A folder:
`profiles.json` `[{author, profile}]`, `questions.jsonl` and `gold.jsonl`. Profiles are read one at a time, and once
more for each use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from longdoc.errors import ConfigError, DocumentError, MalformedDocumentError
from longdoc.evaluation.json_lines import read_file, read_lines
from longdoc.evaluation.lamp_metrics import check_ids
from longdoc.evaluation.lamp_set import LampQuestion, LampSet, LampUser
from longdoc.evaluation.lamp_stream import digest_of, read_objects
from longdoc.evaluation.lamp_tasks import (
    COMMITS,
    LAMP,
    LampFields,
    LampItem,
    LampRecord,
    moment_of,
    read_input,
    shared_instruction,
    task_number,
)

_FOLDER: Final = ("profiles.json", "questions.jsonl", "gold.jsonl")


class _Gold(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)
    id: str
    output: str


class _Golds(BaseModel):
    task: str
    golds: list[_Gold]


class _Author(BaseModel):
    author: str
    profile: list[LampItem]


class _Question(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)
    id: str
    author: str
    input: str
    date: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A record without its profile, which is too large to be held for all of them."""

    record: LampRecord
    user: str


def read_set(path: Path, *, gold: Path | None = None, task: str | None = None) -> LampSet:
    """The set of a file of inputs, or of a folder.

    Gold outputs are in `gold`, else beside the inputs under the same name with "outputs" for "questions". Raises
    `DocumentError` for files that cannot be read, and `ConfigError` where task and files do not go together.
    """
    if path.is_dir():
        if gold is not None:
            raise ConfigError(f"{path} is a folder, whose gold outputs are in {_FOLDER[-1]}; leave --gold out")
        return _read_folder(path, task)
    if not path.exists():
        raise DocumentError("there is no such file or folder; check the path", source=str(path))
    return _read_lamp(path, gold or _outputs_beside(path), task)


def _outputs_beside(path: Path) -> Path:
    beside = path.with_name(path.name.replace("questions", "outputs"))
    if beside == path or not beside.exists():
        raise ConfigError(f"it is not known where the gold outputs of {path} are; name their file with --gold")
    return beside


def _read_lamp(path: Path, gold: Path, task: str | None) -> LampSet:
    try:
        labels = _Golds.model_validate_json(read_file(gold))
    except ValidationError as error:
        raise MalformedDocumentError(
            'is no {"task": …, "golds": [{"id": …, "output": …}]}', source=str(gold)
        ) from error
    number = task_number(labels.task)
    if task is not None and task_number(task) != number:
        raise ConfigError(f"{gold} is of task lamp-{number}, not {task}")
    fields = LAMP[number]
    golds = _golds(fields, labels.golds, gold)
    asked = [_Asked(record.model_copy(update={"profile": []}), _name_of(record)) for record in _records(path)]
    _check_unique([one.record.id for one in asked], path)
    check_ids(golds, {one.record.id: None for one in asked})
    instruction = shared_instruction([one.record.input for one in asked]) if number > 1 else ""
    questions = [_question(number, one, golds[one.record.id], instruction) for one in asked]
    remarks = (f"of every input this was left out as the instruction: {instruction.strip()!r}",) if instruction else ()
    return LampSet(path.name, fields.task, questions, lambda: _lamp_users(path, fields), digest_of(path, gold), remarks)


def _question(number: int, asked: _Asked, gold: str, instruction: str) -> LampQuestion:
    record = asked.record
    found = read_input(number, record, gold=gold, instruction=instruction)
    if not found.text.strip():
        raise MalformedDocumentError("has an input without a text", source=record.id)
    return LampQuestion(record.id, asked.user, found.text, gold, found.searched, found.targets, moment_of(record.date))


def _records(path: Path) -> Iterator[LampRecord]:
    return read_objects(path, LampRecord)


def _lamp_users(path: Path, fields: LampFields) -> Iterator[LampUser]:
    """Users of a file; who has several inputs with the same profile comes once."""
    seen: set[str] = set()
    for record in _records(path):
        name = _name_of(record)
        if name not in seen:
            seen.add(name)
            yield _user(name, record.profile, fields)


def _name_of(record: LampRecord) -> str:
    """Inputs with the same profile are of one user; of an empty one nobody knows whose it is."""
    if not record.profile:
        return f"input {record.id}"[:200]
    digest = hashlib.sha256()
    for item in record.profile:
        digest.update(item.model_dump_json().encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _read_folder(folder: Path, task: str | None) -> LampSet:
    profiles, asked, gold = (folder / name for name in _FOLDER)
    if missing := [one.name for one in (profiles, asked, gold) if not one.is_file()]:
        raise DocumentError(f"has no {', '.join(missing)}; a folder needs {', '.join(_FOLDER)}", source=str(folder))
    if task is not None and task != COMMITS.task.name:
        raise ConfigError(f"{folder} is of task {COMMITS.task.name}, not {task}")
    golds = _golds(COMMITS, list(read_lines(gold, _Gold)), gold)
    found = list(read_lines(asked, _Question))
    _check_unique([one.id for one in found], asked)
    check_ids(golds, {one.id: None for one in found})
    if empty := [one.id for one in found if not one.input.strip()]:
        raise MalformedDocumentError(f"has an input without a text: {empty[0]}", source=str(asked))
    authors = {one.author for one in read_objects(profiles, _Author)}
    if unknown := [one.author for one in found if one.author not in authors]:
        raise MalformedDocumentError(f"has no profile of {unknown[0]}", source=str(profiles))
    questions = [
        LampQuestion(one.id, one.author, one.input, golds[one.id], None, (one.input,), moment_of(one.date))
        for one in found
    ]

    def users() -> Iterator[LampUser]:
        return (_user(one.author, one.profile, COMMITS) for one in read_objects(profiles, _Author))

    return LampSet(folder.resolve().name, COMMITS.task, questions, users, digest_of(profiles, asked, gold))


def _golds(fields: LampFields, golds: Sequence[_Gold], path: Path) -> dict[str, str]:
    _check_unique([one.id for one in golds], path)
    for one in golds:
        fields.check_gold(one.id, one.output)
    return {one.id: one.output for one in golds}


def _user(name: str, items: Sequence[LampItem], fields: LampFields) -> LampUser:
    found = [fields.item(item, number) for number, item in enumerate(items, 1)]
    kept = [item for item in found if item is not None]
    return LampUser(name, tuple(kept), unread=len(found) - len(kept))


def _check_unique(ids: Sequence[str], path: Path) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise MalformedDocumentError(f"has the id {one} twice", source=str(path))
        seen.add(one)
