"""How alike claims and sources are in meaning, on one scale whatever the embedder.

Owns embedding sentences once and remembering them, and the scale; what is made of it is `alignment.py`'s.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.engines.embedder import Embedder, unit_rows

Vectors = NDArray[np.float32]

_QUOTATION_MARK = re.compile(r"""["“”„«»「」『』‘]|(?<!\w)['’]|['’](?!\w)""")
_REMEMBERED = 4096
_UNRELATED_SOURCES = 20
"""How many unrelated sources a claim is taken to have been compared with, besides the real ones."""
_FEW_PAIRS = 10
"""How many pairs of claim and source it takes to learn as much from them as is known without them."""
_LEAST_DEVIATIONS = 7.0
"""Paraphrases count as at least this many standard deviations above unrelated sentences, so that chance likeness stays
small where an embedder hardly tells the two apart."""
_PARAPHRASES = (
    ("The boat left the harbour before sunrise.", "Before dawn the ship sailed out of the port."),
    ("My grandmother baked bread every Saturday.", "Each Saturday the old woman made loaves for her family."),
    ("The court found the banker guilty of fraud.", "A judge convicted the man from the bank of cheating."),
    ("Heavy snow closed the mountain road for a week.", "The pass could not be used for seven days because of snow."),
    ("He wrote to his brother and asked for money.", "In a letter he begged his brother for a loan."),
    ("The doctor says the child will recover soon.", "According to the physician, the boy will be well again."),
    ("Nobody in the village believed the girl's story.", "What the girl told was doubted by all the villagers."),
    ("The factory dismissed two hundred workers in May.", "In May two hundred people lost their jobs at the plant."),
    ("Bees find their way home by the position of the sun.", "The sun guides bees back to the hive."),
    ("The two armies met at the river and fought all day.", "There was a day-long battle on the river bank."),
    ("She inherited the house from an uncle she never met.", "An unknown uncle left her his house."),
    ("The new telescope showed a ring around the planet.", "A ring about the planet was seen with the telescope."),
)


@dataclass(frozen=True, slots=True)
class Similarity:
    """0 is how alike unrelated sentences are, 1 how alike paraphrases are.

    `single[claim, source]` is of the source alone, `context[claim, source]` the best of it alone and together with a
    neighbour; `usual[claim]` is what many sources reach without supporting the claim: a standard deviation above the
    mean of all sources.
    """

    single: Vectors
    context: Vectors
    usual: Vectors


class SentenceSimilarity:
    """Similarity by an embedder. Sentences lately seen are not embedded again."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._scale: tuple[float, float] | None = None

    async def compare(self, claims: Sequence[str], sources: Sequence[str]) -> Similarity:
        """How alike claims and sources are; both must hold at least one text. Raises what the embedder raises."""
        if self._scale is None:
            self._scale = _scale(await self._embedder.embed([text for pair in _PARAPHRASES for text in pair]))
        vectors = await self._embed([_unquoted(text) for text in (*claims, *sources)])
        return await asyncio.to_thread(_compare, vectors[: len(claims)], vectors[len(claims) :], *self._scale)

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        found = {text: self._vectors[text] for text in texts if text in self._vectors}
        if new:
            found.update(zip(new, await self._embedder.embed(new), strict=True))
        for text, vector in found.items():
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > _REMEMBERED:
            self._vectors.popitem(last=False)
        return np.stack([found[text] for text in texts])


def _unquoted(text: str) -> str:
    """The text without quotation marks: with them, whatever is said aloud is like all else that is."""
    return _QUOTATION_MARK.sub(" ", text).strip()


def _scale(paraphrases: Vectors) -> tuple[float, float]:
    """The mean inner product of unrelated sentences, and how far above it that of paraphrases lies."""
    products = paraphrases[::2] @ paraphrases[1::2].T
    unrelated = products[~np.eye(len(products), dtype=np.bool_)]
    mean, deviation = float(unrelated.mean()), float(unrelated.std())
    return mean, max(_LEAST_DEVIATIONS * deviation, float(np.trace(products)) / len(products) - mean)


def _compare(claims: Vectors, sources: Vectors, unrelated: float, spread: float) -> Similarity:
    single: Vectors = (_products(claims, sources) - unrelated) / spread
    pairs: Vectors = (_products(claims, unit_rows(sources[1:] + sources[:-1])) - unrelated) / spread
    return Similarity(single, best_with_neighbour(single, pairs), _usual(single))


def _products(claims: Vectors, sources: Vectors) -> Vectors:
    """Inner products without BLAS, whose threads take far longer for so few of them where cores are busy."""
    return np.einsum("cd,sd->cs", claims, sources)


def _usual(single: Vectors) -> Vectors:
    total = single.shape[1] + _UNRELATED_SOURCES
    mean = (single.sum(axis=1) + _UNRELATED_SOURCES * _background(single)) / total
    squares = ((single - mean[:, None]) ** 2).sum(axis=1) + _UNRELATED_SOURCES / _LEAST_DEVIATIONS**2
    return mean + np.sqrt(squares / total)


def _background(single: Vectors) -> float:
    """How alike unrelated sentences are here: 0 as a rule, far more in a script that the embedder does not read."""
    return max(0.0, float(np.quantile(single, 0.25))) * single.size / (single.size + _FEW_PAIRS)


def best_with_neighbour(single: Vectors, pairs: Vectors) -> Vectors:
    """For each claim and source the best of the source alone and the pairs it is of; pair n is of n and n + 1."""
    context = single.copy()
    context[:, 1:] = np.maximum(context[:, 1:], pairs)
    context[:, :-1] = np.maximum(context[:, :-1], pairs)
    return context
