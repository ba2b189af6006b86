"""Looking at what is there: settings, record, disk, models, engine; each with what to do where it is not well."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from longdoc.app.bootstrap import open_records
from longdoc.app.engine_choice import Notify, Progress, choose_engine
from longdoc.config import Settings
from longdoc.engines.capabilities import Capabilities, probe_capabilities
from longdoc.engines.catalogue import CATALOGUE
from longdoc.engines.engine import CompletionRequest, Engine, Message
from longdoc.engines.pull import installed
from longdoc.errors import LdaError

_LEAST_FREE_BYTES = 1_000_000_000
_LEAST_WINDOW = 2048
_PROBE = CompletionRequest(messages=(Message("user", "Say: all is well."),), max_tokens=16)


class Verdict(StrEnum):
    """How a check came out."""

    WELL = "well"
    LIMITED = "limited"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `advice` is what to do, empty where nothing need be done."""

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""


async def examine(settings: Settings, *, notify: Notify, progress: Progress) -> AsyncIterator[Check]:
    """Look at everything, in the order in which it is needed. Makes a few small calls that are not recorded."""
    yield await _record(settings)
    yield _disk(settings)
    yield _models(settings)
    try:
        choice = await choose_engine(settings, notify=notify, progress=progress)
    except LdaError as error:
        yield Check("engine", Verdict.FAILED, str(error), "name one with --engine, --base-url or --model")
        return
    yield Check("engine", Verdict.WELL, choice.reason)
    try:
        async for check in _engine(choice.engine):
            yield check
    finally:
        await choice.engine.aclose()


async def _record(settings: Settings) -> Check:
    try:
        async with open_records(settings) as records:
            runs = await records.runs.count()
    except LdaError as error:
        return Check("record", Verdict.FAILED, str(error), "choose another place with --database or LDA_DATABASE")
    return Check("record", Verdict.WELL, f"{records.location}, {runs} runs")


def _disk(settings: Settings) -> Check:
    folder = settings.models_directory
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free at {folder}"
    if free < _LEAST_FREE_BYTES:
        return Check("disk", Verdict.LIMITED, detail, "make room, or set LDA_MODELS_DIR and LDA_DATABASE elsewhere")
    return Check("disk", Verdict.WELL, detail)


def _models(settings: Settings) -> Check:
    here = [entry.name for entry in CATALOGUE if installed(entry, settings.models_directory)]
    embedded = "installed" if importlib.util.find_spec("xllamacpp") else "not installed"
    detail = f"pulled: {', '.join(here) or 'none'}; embedded engine {embedded}"
    if embedded == "installed":
        return Check("models", Verdict.WELL, detail)
    return Check("models", Verdict.LIMITED, detail, "to run models without a server: pip install 'longdoc[local]'")


async def _engine(engine: Engine) -> AsyncIterator[Check]:
    yield _window(engine)
    answers = await _answers(engine)
    yield answers
    if answers.verdict is Verdict.FAILED:
        return
    try:
        able = await probe_capabilities(engine)
    except LdaError as error:
        yield Check("capabilities", Verdict.FAILED, str(error), "look at the engine's own log")
        return
    yield _json_schema(able)
    yield _logprobs(able)
    exact = engine.info.exact_tokens
    yield Check("tokens", Verdict.WELL, "counted by the model's tokenizer" if exact else "estimated, then measured")


def _window(engine: Engine) -> Check:
    info = engine.info
    slots = f", {info.slots} requests at once" if info.slots else ""
    detail = f"{info.context_window:,} tokens{slots}"
    if info.context_window < _LEAST_WINDOW:
        return Check("window", Verdict.LIMITED, detail, "set a larger one on the server, or --segment-tokens lower")
    return Check("window", Verdict.WELL, detail)


async def _answers(engine: Engine) -> Check:
    try:
        completion = await engine.complete(_PROBE)
    except LdaError as error:
        return Check("answers", Verdict.FAILED, str(error), "look at the engine's own log")
    if not completion.text.strip():
        return Check("answers", Verdict.LIMITED, "the answer was empty", "try another model")
    return Check("answers", Verdict.WELL, f"in {completion.seconds:.1f} s")


def _json_schema(able: Capabilities) -> Check:
    if able.json_schema:
        return Check("json schema", Verdict.WELL, "answers follow it")
    return Check("json schema", Verdict.LIMITED, "ignored", "what needs structured answers will need another engine")


def _logprobs(able: Capabilities) -> Check:
    if able.logprobs:
        return Check("logprobs", Verdict.WELL, f"{able.logprobs} alternatives a token")
    return Check("logprobs", Verdict.LIMITED, "not offered", "segment relevance needs an engine with logprobs")
