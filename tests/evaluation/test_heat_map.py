"""Heat maps: a PNG as wide as it should be, whose cells are drawn and say what they are."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from longdoc.errors import ConfigError
from longdoc.evaluation.heat_map import Panel, cells_of, draw_heat_map, short_number

DEPTHS = [step / 10 for step in range(11)]


def panel(title: str, lengths: list[int]) -> Panel:
    return Panel(title, {(length, depth): depth for length in lengths for depth in DEPTHS})


def drawn(path: Path, *panels: Panel) -> tuple[int, int]:
    """Draw panels; width and height of the file."""
    draw_heat_map(panels, path, title="Needles", measure="recall at 8")
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_png_is_1200_wide_however_many_strategies_there_are(tmp_path: Path, count: int) -> None:
    width, height = drawn(tmp_path / "map.png", *(panel(f"strategy {i}", [8000, 64_000]) for i in range(count)))
    assert width == 1200
    assert height > 300 * ((count + 1) // 2)


def test_many_lengths_stand_below_each_other(tmp_path: Path) -> None:
    few = drawn(tmp_path / "few.png", *[panel("a", [8000])] * 2)
    many = drawn(tmp_path / "many.png", *[panel("a", [1000 * 2**i for i in range(12)])] * 2)
    assert many[1] > 1.5 * few[1]


def test_what_was_not_tried_leaves_a_gap(tmp_path: Path) -> None:
    whole, part = panel("a", [8000, 64_000]), panel("a", [8000])
    drawn(tmp_path / "whole.png", whole, panel("b", [8000, 64_000]))
    drawn(tmp_path / "part.png", whole, part)
    assert (tmp_path / "whole.png").read_bytes() != (tmp_path / "part.png").read_bytes()


def test_cells_are_those_whose_length_depth_and_rate_are_known() -> None:
    rates = [(8000, 0.5, 1.0), (None, 0.5, 1.0), (8000, None, 1.0), (8000, 0.6, None)]
    assert cells_of(rates) == {(8000, 0.5): 1.0}


@pytest.mark.parametrize(
    ("tokens", "text"), [(900, "900"), (8000, "8k"), (512_000, "512k"), (1_000_000, "1M"), (1_500_000, "1.5M")]
)
def test_lengths_are_short(tokens: int, text: str) -> None:
    assert short_number(tokens) == text


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to draw"):
        draw_heat_map([Panel("a", {})], tmp_path / "map.png", title="t", measure="m")


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        draw_heat_map([panel("a", [8000])], tmp_path / "no" / "map.png", title="t", measure="m")
