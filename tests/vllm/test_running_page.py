"""The page on running models says what the installed vLLM takes: its command lines and settings, parsed and not run."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from vllm.config import SchedulerConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser

from longdoc.cli import finding_options, options
from longdoc.config import Settings, VllmSettings, load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}(?: no-run)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
SERVERS = [line for line in COMMANDS if line.startswith("vllm serve ")]
OPTIONS_IN_TEXT = sorted(set(re.findall(r"`(--[a-z][\w-]+)", PAGE)))
OURS = {"--base-url", "--concurrency", "--engine", "--scoring"}


@pytest.fixture(scope="module")
def parser() -> FlexibleArgumentParser:
    return make_arg_parser(FlexibleArgumentParser(prog="vllm serve"))


def test_the_page_has_the_examples_that_are_checked() -> None:
    assert len(SERVERS) >= 10
    assert len(blocks("toml")) >= 2
    assert PAGE.count("vllm serve Q") == len(SERVERS), "each stands in a block of its own language"


@pytest.mark.parametrize("command", SERVERS)
def test_vllm_takes_its_command_lines(parser: FlexibleArgumentParser, weights: Path, command: str) -> None:
    try:
        arguments = parser.parse_args(shlex.split(command)[2:])
    except SystemExit as refused:
        pytest.fail(f"{command} is refused ({refused})")
    validate_parsed_serve_args(arguments)
    assert arguments.model_tag.count("/") == 1
    arguments.model = str(weights)  # a model named on the hub would be looked for at once
    AsyncEngineArgs.from_cli_args(arguments)


def test_the_options_it_speaks_of_are_options_of_vllm_or_of_lda(parser: FlexibleArgumentParser) -> None:
    known = {option for action in parser._actions for option in action.option_strings}
    assert set(OPTIONS_IN_TEXT) - known == OURS
    ours = "".join(Path(module.__file__ or "").read_text(encoding="utf-8") for module in (options, finding_options))
    assert set(re.findall(r'"(--[a-z][\w-]+)', ours)) >= OURS


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


def test_its_table_tells_every_setting() -> None:
    table = PAGE[PAGE.index("## The settings") :]
    told = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert told == set(VllmSettings.model_fields)


def test_the_defaults_it_tells_are_those_of_vllm() -> None:
    defaults: dict[str, Any] = {name: field.default for name, field in AsyncEngineArgs.__dataclass_fields__.items()}
    assert defaults["gpu_memory_utilization"] == 0.92
    assert defaults["dtype"] == "auto"
    assert not defaults["enforce_eager"]
    assert SchedulerConfig.DEFAULT_MAX_NUM_SEQS == 128
    sizes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    assert [defaults[size] for size in sizes] == [1, 1, 1]
