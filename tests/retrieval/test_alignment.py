"""Claims find the sources they rest on, in other words too, and claims of elsewhere find none."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from longdoc.engines.embedder import Embedder, EmbedderInfo, unit_rows
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from longdoc.retrieval.alignment import Aligner
from longdoc.retrieval.support import Support
from tests.models import require_model

SOURCES = [
    "The lamp in the lighthouse of Skerry Head had gone out before midnight.",
    "Nobody on the quay noticed it at first.",
    "Marta Quill took the oil can, two boxes of matches and her late father's oilskin.",
    "She rowed across the sound in the dark.",
    "When she came up the stairs she found the keeper asleep over a game of draughts.",
    "She did not wake him.",
    "At seven minutes past one the light was burning again, and the herring fleet came home by it.",
    "In the morning the keeper wrote in his book that the night had been quiet.",
]
FOREIGN = [
    "The committee of the orchestra voted to replace its conductor in autumn.",
    "Photosynthesis turns carbon dioxide and water into sugar.",
    "Colonel Fitzroy lost both of his horses at cards in Vienna.",
]
CHINESE = [
    "灯塔的灯在午夜之前熄灭了。",
    "玛尔塔拿着油罐划船穿过海峡。",
    "她发现守塔人睡在棋盘旁边。",
    "一点零七分，灯又亮了，渔船队平安回港。",
]


def align(claims: Sequence[str], sources: Sequence[str], embedder: Embedder | None) -> list[Support]:
    return asyncio.run(Aligner(embedder).align(claims, sources))


def numbers(support: Support) -> list[int]:
    return [source.number for source in support.sources]


class ConeEmbedder:
    """Hashed words in a narrow cone, as some models have it: any two texts are alike, by 0.7 at least."""

    def __init__(self) -> None:
        self._hashed = HashedEmbedder()
        self.texts: list[str] = []

    @property
    def info(self) -> EmbedderInfo:
        return EmbedderInfo("cone", "cone", "cone", self._hashed.info.dimensions + 1)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts.extend(texts)
        vectors = await self._hashed.embed(texts)
        return unit_rows(np.hstack([vectors * np.float32(0.3**0.5), np.full((len(texts), 1), 0.7**0.5, np.float32)]))

    async def aclose(self) -> None:
        await self._hashed.aclose()


@pytest.fixture(params=["wording", "hashed", "cone"])
def embedder(request: pytest.FixtureRequest) -> Embedder | None:
    return {"wording": None, "hashed": HashedEmbedder(), "cone": ConeEmbedder()}[request.param]


def test_a_copied_sentence_is_supported_by_itself(embedder: Embedder | None) -> None:
    for number, support in enumerate(align(SOURCES, SOURCES, embedder)):
        assert support.supported
        assert numbers(support)[0] == number
        assert support.score > 0.9


def test_sentences_of_elsewhere_are_unsupported(embedder: Embedder | None) -> None:
    for support in align(FOREIGN, SOURCES, embedder):
        assert not support.supported
        assert support.sources == ()
        assert support.score < 0.5


def test_supports_come_in_the_order_of_the_claims(embedder: Embedder | None) -> None:
    claims = [SOURCES[6], FOREIGN[0], SOURCES[0], "…", SOURCES[6]]
    found = [numbers(support)[:1] for support in align(claims, SOURCES, embedder)]
    assert found == [[6], [], [0], [], [6]]


def test_a_claim_that_condenses_several_sources_rests_on_them(embedder: Embedder | None) -> None:
    claim = "The lamp of Skerry Head went out, so Marta Quill took oil and matches."
    (support,) = align([claim], SOURCES, embedder)
    assert set(numbers(support)) == {0, 2}


def test_the_best_source_comes_first_and_has_the_score_of_the_claim(embedder: Embedder | None) -> None:
    for support in align(SOURCES, SOURCES, embedder):
        scores = [source.score for source in support.sources]
        assert scores[0] == support.score
        assert all(first >= second for first, second in pairwise(scores))


@pytest.mark.parametrize(("claims", "sources"), [([], SOURCES), (["A claim."], []), ([], [])])
def test_where_there_is_nothing_nothing_is_supported(
    claims: list[str], sources: list[str], embedder: Embedder | None
) -> None:
    assert align(claims, sources, embedder) == [Support((), 0.0) for _ in claims]


def test_blank_texts_neither_support_nor_are_supported(embedder: Embedder | None) -> None:
    assert align(["", " \n", "—"], SOURCES, embedder) == [Support((), 0.0)] * 3
    (support,) = align([SOURCES[0]], ["", "* * *", SOURCES[0], " "], embedder)
    assert numbers(support) == [2]


def test_equal_calls_give_equal_results(embedder: Embedder | None) -> None:
    aligner = Aligner(embedder)

    async def twice() -> list[list[Support]]:
        return await asyncio.gather(*(aligner.align([*SOURCES, *FOREIGN], SOURCES) for _ in range(2)))

    first, second = asyncio.run(twice())
    assert first == second == align([*SOURCES, *FOREIGN], SOURCES, embedder)


def test_text_without_spaces_is_compared_by_its_characters(embedder: Embedder | None) -> None:
    claims = ["守塔人睡在棋盘旁边。", "玛尔塔划船穿过海峡。", "上校在维也纳打牌输掉了两匹马。"]
    found = [numbers(support)[:1] for support in align(claims, CHINESE, embedder)]
    assert found == [[2], [1], []]


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Élodie's cafés closed.", "elodie closes the cafe"),
        ("L’homme marchait vers Paris.", "Un homme marche vers Paris."),
        ("Straße 61.42", "STRASSE 61.42"),
        ("ＴＯＫＹＯ", "Tokyo"),
        ("Пошёл дождь", "пошел дождь"),
    ],
)
def test_case_accents_and_endings_do_not_count(claim: str, source: str) -> None:
    (support,) = align([claim], [FOREIGN[0], source], None)
    assert numbers(support) == [1]


def test_the_identity_names_the_embedder() -> None:
    identities = {Aligner(one).identity for one in (None, HashedEmbedder(), HashedEmbedder(dimensions=64))}
    assert len(identities) == 3
    assert Aligner(HashedEmbedder()).identity == Aligner(HashedEmbedder()).identity


def test_a_sentence_is_embedded_once() -> None:
    embedder = ConeEmbedder()

    async def run() -> None:
        aligner = Aligner(embedder)
        await aligner.align(SOURCES[:2], SOURCES)
        await aligner.align(FOREIGN, SOURCES)

    asyncio.run(run())
    assert len(embedder.texts) == len(set(embedder.texts))


def test_more_sentences_than_are_remembered_are_aligned() -> None:
    many = [f"Keeper {number} of lighthouse {number * 7919} lit lamp {number}." for number in range(5000)]
    (support,) = align([many[4321]], many, HashedEmbedder())
    assert numbers(support)[0] == 4321


TEXT = st.text(st.sampled_from("Ab 12.,’é灯塔ก\u0301\u200b\ud83d\n") | st.characters(), max_size=40)


@given(claims=st.lists(TEXT, max_size=5), sources=st.lists(TEXT, max_size=6), hashed=st.booleans())
def test_scores_and_numbers_are_valid_whatever_the_texts(claims: list[str], sources: list[str], hashed: bool) -> None:
    supports = align(claims, sources, HashedEmbedder() if hashed else None)
    assert len(supports) == len(claims)
    for support in supports:
        assert 0.0 <= support.score <= 1.0
        assert support.supported == (support.score >= 0.5)
        assert len(set(numbers(support))) == len(support.sources)
        for source in support.sources:
            assert 0 <= source.number < len(sources)
            assert 0.0 <= source.score <= support.score


def test_other_words_for_the_same_are_found_by_meaning() -> None:
    claims = [
        "Marta brought fuel over the water in a small boat.",
        "The man on duty noted in his diary that it had been a peaceful night.",
        "The herring boats returned safely, as the beacon shone again shortly after one.",
    ]

    async def run() -> list[Support]:
        embedder = await SentenceTransformersEmbedder.open(require_model("minilm-l6"), device="cpu")
        try:
            return await Aligner(embedder).align(claims, SOURCES)
        finally:
            await embedder.aclose()

    found = [set(numbers(support)) for support in asyncio.run(run())]
    assert found[1:] == [{7}, {6}]
    assert found[0] <= {0, 2, 3}
