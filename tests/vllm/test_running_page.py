"""The page on running models says what the installed vLLM takes: its command lines and settings, parsed and not run."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser

from longdoc.config import Settings, VllmSettings, load_settings
from longdoc.engines.vllm import VllmEngine

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
SERVERS = [line for line in COMMANDS if line.startswith("vllm serve ")]
NAMED = sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]+", PAGE)))


@pytest.fixture(scope="module")
def parser() -> FlexibleArgumentParser:
    return make_arg_parser(FlexibleArgumentParser(prog="vllm serve"))


def test_the_page_has_the_examples_that_are_checked() -> None:
    assert len(SERVERS) >= 10
    assert len(blocks("toml")) >= 2
    assert PAGE.count("vllm serve Q") == len(SERVERS), "each stands in a block of its own language"


@pytest.mark.parametrize("command", SERVERS)
def test_vllm_takes_its_command_lines(parser: FlexibleArgumentParser, command: str) -> None:
    try:
        arguments = parser.parse_args(shlex.split(command)[2:])
    except SystemExit as refused:
        pytest.fail(f"{command} is refused ({refused})")
    validate_parsed_serve_args(arguments)
    AsyncEngineArgs.from_cli_args(arguments)
    assert arguments.model_tag.count("/") == 1


@pytest.mark.parametrize("example", blocks("toml"))
def test_its_settings_are_settings_and_name_arguments_of_vllm(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lda.toml").write_text(example, encoding="utf-8")
    settings = load_settings()
    assert settings.engine == "vllm"
    named = settings.vllm.engine_arguments()
    assert named.keys() <= AsyncEngineArgs.__dataclass_fields__.keys()
    assert set(tomllib.loads(example)) <= Settings.model_fields.keys()


@pytest.mark.parametrize("example", blocks("toml"))
async def _planned(example: str, weights: Path) -> VllmEngine:
    raise NotImplementedError


def test_its_table_tells_every_setting() -> None:
    table = PAGE[PAGE.index("## The settings") :]
    told = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert told == set(VllmSettings.model_fields)


def test_the_defaults_it_tells_are_those_of_vllm() -> None:
    defaults: dict[str, Any] = {name: field.default for name, field in AsyncEngineArgs.__dataclass_fields__.items()}
    assert defaults["gpu_memory_utilization"] == 0.92
    assert defaults["dtype"] == "auto"
    assert not defaults["enforce_eager"]
    sizes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    assert [defaults[size] for size in sizes] == [1, 1, 1]
