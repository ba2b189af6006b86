"""Plots of long writing: PNG files as wide as they should be, that hold what there is and refuse what there is not."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from longdoc.errors import ConfigError
from longdoc.evaluation.writing_plots import CostCurve, draw_costs, draw_length_scores, draw_lengths
from longdoc.evaluation.writing_report import WritingReport, WritingResult

LENGTHS = (100, 400, 1500, 3000, 12_000, 30_000)


def results(*systems: str, factor: float = 0.9) -> list[WritingResult]:
    return [
        WritingResult(system, f"p{asked}", "Fiction", asked, written=int(asked * factor))
        for system in systems
        for asked in LENGTHS
    ]


def lengths(path: Path, some: list[WritingResult]) -> None:
    draw_lengths(some, path, title="Lengths")


def scores(path: Path, some: list[WritingResult]) -> None:
    report = WritingReport("t", some)
    draw_length_scores([one for b in report.buckets for one in report.figures(bucket=b)], path, title="Scores")


def costs(path: Path, some: list[WritingResult]) -> None:
    names = dict.fromkeys(one.system for one in some)
    draw_costs(
        [CostCurve(name, [(one.written, 9 * one.written) for one in some]) for name in names], path, title="Cost"
    )


Drawing = Callable[[Path, list[WritingResult]], None]
every = pytest.mark.parametrize("draw", [lengths, scores, costs])


@every
@pytest.mark.parametrize(
    "systems", [["ours"], ["one call", "paper", "ours"], [f"system number {i}" for i in range(16)]]
)
def test_a_png_is_1200_wide_however_many_systems_there_are(draw: Drawing, systems: list[str], tmp_path: Path) -> None:
    draw(tmp_path / "plot.png", results(*systems))
    data = (tmp_path / "plot.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (1200, 750)


@every
def test_another_result_is_another_picture(draw: Drawing, tmp_path: Path) -> None:
    draw(tmp_path / "a.png", results("ours"))
    draw(tmp_path / "b.png", results("ours", factor=0.5))
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_what_failed_is_drawn_on_the_edge(tmp_path: Path) -> None:
    some = results("ours")
    lengths(tmp_path / "a.png", some)
    lengths(tmp_path / "b.png", [*some, WritingResult("ours", "q", "Fiction", 200, written=150, failure="gone")])
    lengths(tmp_path / "c.png", [WritingResult("ours", "q", "Fiction", 200, failure="gone")])
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "c.png").exists()


@every
def test_nothing_to_draw_is_refused(draw: Drawing, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to draw"):
        draw(tmp_path / "plot.png", [])


@every
def test_a_file_that_cannot_be_written_is_refused(draw: Drawing, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        draw(tmp_path / "no" / "plot.png", results("ours"))


@every
def test_without_matplotlib_the_way_to_install_it_is_told(
    draw: Drawing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"pip install 'longdoc\[eval\]'"):
        draw(tmp_path / "plot.png", results("ours"))
