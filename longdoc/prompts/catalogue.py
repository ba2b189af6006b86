"""The prompt catalogue: finds versioned templates and renders them to messages.

Owns templates, delimiters and the record of what went into a prompt; calling a model is left to agents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeAlias

from jinja2 import FunctionLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from longdoc.errors import PromptError
from longdoc.json_value import JsonValue

Reference: TypeAlias = Mapping[str, str | int]

_VERSIONED = re.compile(r"^(?P<name>[a-z_]+)\.v(?P<version>\d+)\.j2$")


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text of a document or of an earlier call, with a reference that says where it stands.

    A template shows it only through the `data` macro; the ledger keeps the reference, not the text.
    """

    text: str
    reference: Reference

    def fenced(self, tag: str) -> str:
        """The text with every look-alike of its closing tag broken, so that data cannot end its fence."""
        closing = rf"<(/\s*{re.escape(tag)})"
        return re.sub(closing, "<\N{ZERO WIDTH SPACE}\\1", self.text, flags=re.IGNORECASE)


Variable: TypeAlias = bool | int | float | str | Quoted | Sequence[Quoted] | None


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """Messages made from a template, and what they were made from (quotes as references)."""

    name: str
    version: int
    system: str
    user: str
    inputs: dict[str, JsonValue]


def render(name: str, variables: Mapping[str, Variable], *, version: int | None = None) -> RenderedPrompt:
    """Render template `task/name` in its newest (or the given) version.

    Raises `PromptError` for an unknown template, a missing variable, or a template without both blocks.
    """
    chosen = version if version is not None else max(versions(name))
    try:
        template = _environment().get_template(f"{name}.v{chosen}.j2")
        context = template.new_context(dict(variables))
        blocks = {part: "".join(template.blocks[part](context)).strip() for part in ("system", "user")}
    except (TemplateError, KeyError) as error:
        raise PromptError(f"prompt {name}.v{chosen} cannot be rendered: {error}") from error
    inputs = {key: _recorded(value) for key, value in variables.items()}
    return RenderedPrompt(name, chosen, blocks["system"], blocks["user"], inputs)


def versions(name: str) -> list[int]:
    """The versions there are of a template, oldest first. Raises `PromptError` where there is none."""
    task, _, short = name.rpartition("/")
    folder = resources.files("longdoc.prompts") / "templates" / task
    files = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    found = [match for file in files if (match := _VERSIONED.match(file)) and match["name"] == short]
    if not found:
        raise PromptError(f"there is no prompt called {name!r}")
    return sorted(int(match["version"]) for match in found)


@cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=FunctionLoader(_load), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["data"] = vars(environment.get_template("fence.j2").module)["data"]
    return environment


def _load(name: str) -> str | None:
    file = resources.files("longdoc.prompts") / "templates" / name
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _recorded(value: Variable) -> JsonValue:
    if isinstance(value, Quoted):
        return dict(value.reference)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return [dict(item.reference) for item in value]
