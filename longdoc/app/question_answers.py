"""The ways of answering that an evaluation tries: as they are asked for, and what an engine and a text allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from longdoc.agents.answer_reader import EXCERPT_TOKENS
from longdoc.agents.relevance import ScoringMode, modes_of
from longdoc.app.finding import AskOptions
from longdoc.app.segmentation import counter_of
from longdoc.app.strategies import SCORED
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine, EngineInfo
from longdoc.errors import ConfigError

_SURE: Final = 0.5
"""An estimate of tokens by this share of it is never above the true count."""
_MARGIN: Final = 1.25
"""How far an estimate of tokens is trusted."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A strategy of `lda ask` (`auto` is one here), and the mode in which the model scores where it does.

    Without a mode it is the first one of an evaluation that the engine can compute. Raises `ConfigError` for what there
    is not.
    """

    strategy: str
    scoring: ScoringMode | None = None

    def __post_init__(self) -> None:
        AskOptions(strategy=self.strategy)
        if self.scoring is not None and not self.scored:
            raise ConfigError(f"{self.strategy} scores nothing; a mode goes with {' or '.join(sorted(SCORED))}")

    @property
    def scored(self) -> bool:
        """Whether the model scores segments."""
        return self.strategy in SCORED

    @property
    def label(self) -> str:
        """Its name in reports."""
        return self.strategy if self.scoring is None else f"{self.strategy}:{self.scoring}"


def parse_answering(text: str) -> Answering:
    """What is written as `retrieve` or `cascade:entropy`. Raises `ConfigError`."""
    strategy, colon, mode = text.partition(":")
    if not colon:
        return Answering(strategy)
    if mode not in set(ScoringMode):
        raise ConfigError(f"there is no scoring {mode!r}; choose from: {', '.join(ScoringMode)}")
    return Answering(strategy, ScoringMode(mode))


def answerable(
    asked: Sequence[Answering], modes: Sequence[ScoringMode], info: EngineInfo
) -> tuple[list[Answering], list[str]]:
    """What an engine can do of the ways asked for, each once; why others are left out.

    What is to be scored in no mode in particular is so in the first of `modes` that the engine can compute.
    """
    able = modes_of(info)
    first = next((mode for mode in modes if mode in able), None)
    found: dict[Answering, None] = {}
    left_out: list[str] = []
    for one in asked:
        mode = one.scoring or first
        if not one.scored:
            found[one] = None
        elif mode in able:
            found[replace(one, scoring=mode)] = None
        else:
            why = "does not tell what that takes" if able else "tells no probabilities of tokens"
            left_out.append(f"left out: answers by {one.label}: {info.model} {why}")
    return list(found), left_out


async def holds_whole(engine: Engine, text: str, *, room: int) -> bool:
    """Whether a call with room for so many tokens holds a text as an excerpt, as `ask` sees it.

    Where the engine has no tokenizer, with a margin.
    """
    if estimate_tokens(text) * _SURE > room:
        return False
    (count,) = await counter_of(engine).count_tokens([text])
    return count * (1.0 if engine.info.exact_tokens else _MARGIN) + EXCERPT_TOKENS <= room
