"""What every vector index does, exact or approximate, and what its file withstands."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.errors import ConfigError, IndexUnusableError, StorageError
from longdoc.retrieval.faiss_index import FaissIndex
from longdoc.retrieval.index_file import read_stamp
from longdoc.retrieval.vector_index import Ids, VectorIndex, Vectors

DIMENSIONS = 24
SIZE = 300

Maker = Callable[[], VectorIndex]


def exact() -> FaissIndex:
    return FaissIndex(DIMENSIONS, identity="model-a")


def approximate() -> FaissIndex:
    return FaissIndex(DIMENSIONS, identity="model-a", exact_up_to=SIZE // 3)


@pytest.fixture(params=[exact, approximate])
def index(request: pytest.FixtureRequest) -> FaissIndex:
    """An index of `SIZE` vectors in clusters, under ids from 1000."""
    made: FaissIndex = request.param()
    made.add(np.arange(1000, 1000 + SIZE), clustered(SIZE))
    assert made.kind == request.param.__name__
    return made


def unit(vectors: np.ndarray[Any, Any]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def clustered(count: int, *, seed: int = 1, dimensions: int = DIMENSIONS) -> Vectors:
    """Vectors of low intrinsic dimension around a few hundred centres that do not depend on `seed`."""
    random = np.random.default_rng(seed)
    fixed = np.random.default_rng(0)
    centres, directions = fixed.normal(size=(200, dimensions)), fixed.normal(size=(8, dimensions))
    noise = 0.3 * random.normal(size=(count, 8)) @ directions
    return unit(centres[random.integers(0, 200, count)] + noise)


def brute_force(ids: Ids, vectors: Vectors, queries: Vectors, k: int) -> Vectors:
    """The scores of the k nearest, padded as an index pads."""
    scores = -np.sort(-(queries @ vectors.T), axis=1)[:, :k]
    padding = np.full((len(queries), max(0, k - len(ids))), -np.inf, np.float32)
    return np.concatenate([scores, padding], axis=1)


def test_each_vector_is_its_own_nearest(index: FaissIndex) -> None:
    scores, ids = index.search(clustered(SIZE), k=1)
    assert (scores.dtype, ids.dtype) == (np.float32, np.int64)
    assert ids[:, 0].tolist() == list(range(1000, 1000 + SIZE))
    assert scores[:, 0] == pytest.approx(1.0, abs=2e-3)


def test_the_nearest_come_first(index: FaissIndex) -> None:
    scores, ids = index.search(clustered(20, seed=2), k=10)
    assert scores.shape == ids.shape == (20, 10)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert all(len(set(row)) == 10 for row in ids.tolist())


def test_one_query_finds_what_many_find(index: FaissIndex) -> None:
    queries = clustered(70, seed=2)
    _, together = index.search(queries, k=5)
    alone = [index.search(queries[place : place + 1], k=5)[1][0] for place in range(len(queries))]
    assert together.tolist() == np.array(alone).tolist()


def test_no_queries_give_no_rows(index: FaissIndex) -> None:
    scores, ids = index.search(np.zeros((0, DIMENSIONS), np.float32), k=3)
    assert scores.shape == ids.shape == (0, 3)


def test_what_is_removed_is_not_found(index: FaissIndex) -> None:
    gone = np.array([1000, 1007, 5])
    assert index.remove(gone) == 2
    assert len(index) == SIZE - 2
    _, ids = index.search(clustered(SIZE), k=SIZE)
    assert not np.isin(ids, gone).any()


def test_an_id_added_again_has_its_new_vector_only(index: FaissIndex) -> None:
    new = clustered(2, seed=9)
    index.add(np.array([1000, 1001]), new)
    assert len(index) == SIZE
    _, ids = index.search(new, k=1)
    assert ids[:, 0].tolist() == [1000, 1001]
    scores, _ = index.search(clustered(1), k=1)
    assert scores[0, 0] < 0.999


def test_of_an_id_added_twice_at_once_the_last_stays(index: FaissIndex) -> None:
    first, last = clustered(2, seed=9)
    index.add(np.array([7, 7]), np.array([first, last]))
    assert len(index) == SIZE + 1
    assert index.search(last[None], k=1)[1][0, 0] == 7


def test_more_than_there_is_can_be_asked_for(index: FaissIndex) -> None:
    scores, ids = index.search(clustered(3, seed=2), k=SIZE + 50)
    found = ids >= 0
    assert (scores[~found] == -np.inf).all()
    assert np.isfinite(scores[found]).all()
    assert (~found[:, -50:]).all()
    if index.kind == "exact":
        assert found[:, :SIZE].all()


def test_memory_is_told_and_grows(index: FaissIndex) -> None:
    before = index.memory_bytes
    assert before >= SIZE * DIMENSIONS * 2
    index.add(np.arange(50), clustered(50, seed=3))
    assert index.memory_bytes > before


@pytest.mark.parametrize("shape", [(2, DIMENSIONS + 1), (DIMENSIONS,), (1, 2, DIMENSIONS)])
def test_vectors_of_another_shape_are_refused(index: FaissIndex, shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=f"index of {DIMENSIONS} dimensions"):
        index.search(np.zeros(shape, np.float32), k=1)
    with pytest.raises(ConfigError, match=f"index of {DIMENSIONS} dimensions"):
        index.add(np.arange(len(np.zeros(shape))), np.zeros(shape, np.float32))
    with pytest.raises(ConfigError, match="cannot be added"):
        index.add(np.arange(3), clustered(2))


@pytest.mark.parametrize("make", [exact, approximate])
def test_an_empty_index_finds_nothing(make: Maker) -> None:
    index = make()
    index.add(np.zeros(0, np.int64), np.zeros((0, DIMENSIONS), np.float32))
    scores, ids = index.search(clustered(2), k=3)
    assert ids.tolist() == [[-1] * 3] * 2
    assert (scores == -np.inf).all()
    assert len(index) == index.remove(np.array([1])) == 0


def test_an_emptied_index_can_be_filled_again(index: FaissIndex) -> None:
    index.remove(np.arange(1000, 1000 + SIZE))
    assert len(index) == 0
    assert index.search(clustered(1), k=1)[1].tolist() == [[-1]]
    index.add(np.array([5]), clustered(1))
    assert index.search(clustered(1), k=1)[1].tolist() == [[5]]


def test_the_few_that_are_left_are_all_found(index: FaissIndex) -> None:
    index.remove(np.arange(1010, 1000 + SIZE))
    _, ids = index.search(clustered(5, seed=2), k=10)
    assert [sorted(row) for row in ids.tolist()] == [list(range(1000, 1010))] * 5


def test_vectors_that_hold_no_numbers_are_refused(index: FaissIndex) -> None:
    for value in (np.nan, np.inf):
        with pytest.raises(ConfigError, match="no numbers"):
            index.add(np.array([1]), np.full((1, DIMENSIONS), value, np.float32))
    assert len(index) == SIZE


_Change = tuple[str, list[int]]
_CHANGES = st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.lists(st.integers(0, 30), max_size=20)))


@given(changes=_CHANGES, k=st.integers(1, 12), seed=st.integers(0, 1000))
def test_exact_is_brute_force_after_any_changes(changes: list[_Change], k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    index, held = FaissIndex(6, identity="model-a"), dict[int, Vectors]()
    for change, ids in changes:
        if change == "add":
            vectors = unit(random.normal(size=(len(ids), 6)) + 1e-3) if ids else np.zeros((0, 6), np.float32)
            index.add(np.array(ids, np.int64), vectors)
            held.update(zip(ids, vectors, strict=True))
        else:
            assert index.remove(np.array(ids, np.int64)) == len(set(ids) & held.keys())
            held = {key: vector for key, vector in held.items() if key not in ids}
    queries = unit(random.normal(size=(4, 6)))
    kept = np.array(list(held.values()), np.float32).reshape(-1, 6)
    scores, ids_found = index.search(queries, k=k)
    assert np.allclose(scores, brute_force(np.array(list(held)), kept, queries, k), atol=1e-5)
    for row, query in enumerate(queries):
        for place, key in enumerate(ids_found[row].tolist()):
            assert key == -1 or abs(held[key] @ query - scores[row, place]) < 1e-5


def test_approximate_finds_nearly_all_and_grows_by_itself() -> None:
    vectors, queries = clustered(20_000), clustered(100, seed=2)
    index = FaissIndex(DIMENSIONS, identity="model-a", exact_up_to=1000)
    kinds: list[str] = []
    for first in range(0, 20_000, 500):
        index.add(np.arange(first, first + 500), vectors[first : first + 500])
        kinds.append(index.kind)
    assert kinds == ["exact"] * 2 + ["approximate"] * 38
    assert len(index) == 20_000
    _, found = index.search(queries, k=10)
    nearest = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    assert np.mean([np.isin(truth, row).mean() for truth, row in zip(nearest, found, strict=True)]) >= 0.95


def test_growing_replaces_ids_as_any_addition_does() -> None:
    index = FaissIndex(DIMENSIONS, identity="model-a", exact_up_to=100)
    index.add(np.arange(100), clustered(100))
    index.add(np.arange(50, 150), clustered(100, seed=2))
    assert (index.kind, len(index)) == ("approximate", 150)
    _, ids = index.search(clustered(100, seed=2), k=1)
    assert ids[:, 0].tolist() == list(range(50, 150))


def test_the_same_vectors_give_the_same_index() -> None:
    def found() -> tuple[Vectors, Ids]:
        index = approximate()
        index.add(np.arange(2000), clustered(2000))
        return index.search(clustered(50, seed=2), k=10)

    (scores, ids), (scores_again, ids_again) = found(), found()
    assert (ids == ids_again).all()
    assert (scores == scores_again).all()


def test_a_saved_index_comes_back_as_it_was(index: FaissIndex, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "vectors.index"
    index.watermark = 41
    index.save(path)
    loaded = FaissIndex.load(path, identity="model-a", dimensions=DIMENSIONS)
    assert (loaded.watermark, loaded.kind, len(loaded)) == (41, index.kind, SIZE)
    assert read_stamp(path).watermark == 41
    queries = clustered(20, seed=2)
    for before, after in zip(index.search(queries, k=5), loaded.search(queries, k=5), strict=True):
        assert (before == after).all()
    loaded.add(np.array([1000, 9]), clustered(2, seed=5))
    assert len(loaded) == SIZE + 1


@pytest.mark.parametrize("identity", ["model-a", "model-b"])
def test_an_index_of_another_embedder_is_refused(index: FaissIndex, tmp_path: Path, identity: str) -> None:
    path = tmp_path / "vectors.index"
    index.save(path)
    with pytest.raises(IndexUnusableError, match="made with model-a") as caught:
        FaissIndex.load(path, identity=identity, dimensions=DIMENSIONS + (identity == "model-a"))
    assert caught.value.path == str(path)


def test_a_missing_index_is_told_like_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusableError, match="is not there"):
        FaissIndex.load(tmp_path / "none", identity="model-a", dimensions=DIMENSIONS)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_was_cut_off_is_refused(index: FaissIndex, tmp_path: Path, share: float) -> None:
    path = tmp_path / "vectors.index"
    index.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(IndexUnusableError, match="damaged"):
        FaissIndex.load(path, identity="model-a", dimensions=DIMENSIONS)


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(tmp_path_factory: pytest.TempPathFactory, place: float, bit: int) -> None:
    path = tmp_path_factory.mktemp("flipped") / "vectors.index"
    index = exact()
    index.add(np.arange(10), clustered(10))
    index.watermark = 1_234_567_890
    index.save(path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(IndexUnusableError):
        FaissIndex.load(path, identity="model-a", dimensions=DIMENSIONS)


_DIES_BEFORE_RENAMING = """
import os, sys
from pathlib import Path
import numpy as np
from longdoc.retrieval.faiss_index import FaissIndex

index = FaissIndex(24, identity="model-a")
index.add(np.arange(5), np.eye(24, dtype=np.float32)[:5])
sys.addaudithook(lambda event, _: os._exit(9) if event == "os.rename" else None)
index.save(Path(sys.argv[1]))
"""


def test_a_crash_before_the_last_step_leaves_the_old_file(index: FaissIndex, tmp_path: Path) -> None:
    path = tmp_path / "vectors.index"
    index.save(path)
    died = subprocess.run([sys.executable, "-c", _DIES_BEFORE_RENAMING, str(path)], check=False)
    assert died.returncode == 9
    assert len(FaissIndex.load(path, identity="model-a", dimensions=DIMENSIONS)) == SIZE
    index.remove(np.array([1000]))
    index.save(path)  # what the crash left behind is not in the way
    assert len(FaissIndex.load(path, identity="model-a", dimensions=DIMENSIONS)) == SIZE - 1
    assert list(tmp_path.glob(".*.part")) == []


def test_a_place_that_cannot_be_written_is_a_clear_error(index: FaissIndex, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="cannot write the index"):
        index.save(tmp_path / "file" / "vectors.index")
