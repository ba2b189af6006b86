"""Plots of long writing as PNG, 1,200 dots wide: lengths, length scores by bucket, and what a longer text costs.

Systems are told apart by colour and mark both, in colours that people who see few of them can tell (Okabe and Ito,
2008); their names stand below the plot, so that no label meets another.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from longdoc.errors import ConfigError
from longdoc.evaluation.heat_map import short_number
from longdoc.evaluation.writing_prompts import Bucket
from longdoc.evaluation.writing_report import PromptMean, WritingFigures, WritingResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH: Final = 12.0
_HEIGHT: Final = 7.5
_DOTS: Final = 100
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666")
_MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_HATCHES: Final = ("", "//", "..", "xx")
_GREY: Final = "#777777"
_TITLE_CHARACTERS: Final = 100
_LEGEND_CHARACTERS: Final = 130
_GROUP: Final = 0.84
"""The width of all bars of a bucket, of the room that a bucket has."""
_WIDEST_BAR: Final = 0.25
_DOTS_A_POINT: Final = 2.8
"""The width of a value of three digits in dots, for each point of its size."""
_SIZES: Final = (7, 10)
_BESIDE: Final = 1.03
"""How far the points of a system lie to the right of those of the one before, as a factor, so that all are seen."""
_LINES: Final = ((1.0, "-", "as asked for"), (4.0, "--", "four times, a third: S$_l$ = 0"), (1 / 3, "--", None))
"""Lines of so many times the length asked for."""


_Point: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CostCurve:
    """What a system read to write: points of (words written, tokens of all prompts up to there)."""

    system: str
    points: Sequence[_Point]


def draw_lengths(results: Sequence[WritingResult], path: Path, *, title: str) -> None:
    """Words asked for against words written, both by the benchmark's count, a point for each result.

    What failed, or wrote no word, lies on the lower edge, hollow. Raises `ConfigError` as `draw_heat_map` does.
    """
    systems = _points(results)
    _require(systems)
    points = [point for found in systems.values() for point in found]
    low, high = min(asked for asked, _ in points) / 1.5, max(asked for asked, _ in points) * 1.5
    written = [words for _, words in points if words]
    bottom, top = min([low, *written]) / 1.5, max([high, *written]) * 1.2
    figure, axes = _axes(title, "Words asked for", "Words written (hollow, on the edge: failed)")
    for number, (system, found) in enumerate(systems.items()):
        aside = _BESIDE ** (number - (len(systems) - 1) / 2)
        _scatter(axes, [(asked * aside, words) for asked, words in found], number, system, bottom=bottom)
    for factor, style, label in _LINES:
        ends = [low, high]
        axes.plot(ends, [factor * end for end in ends], color=_GREY, linestyle=style, linewidth=1.2, label=label)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, top))
    axes.set_xticks(*_ticks(low, high), fontsize=11)
    axes.set_yticks(*_ticks(bottom, top), fontsize=11)
    axes.minorticks_off()
    _finish(figure, axes, path)


def draw_length_scores(figures: Sequence[WritingFigures], path: Path, *, title: str) -> None:
    """S_l by bucket, a bar for each system, with the 95 % interval and the value above it.

    Figures over all prompts, and those without a length score, are passed over. Raises as `draw_lengths` does.
    """
    scores = {(one.system, one.bucket): one.length for one in figures if one.bucket and one.length}
    _require(scores)
    systems = list(dict.fromkeys(system for system, _ in scores))
    buckets = [bucket for bucket in Bucket if any(bucket is of for _, of in scores)]
    figure, axes = _axes(title, "Words asked for", "Length score S$_l$, with 95 % intervals", grid="y")
    width = min(_WIDEST_BAR, _GROUP / len(systems))
    size = min(_SIZES[1], int(_WIDTH * _DOTS * 0.94 * width / len(buckets) / _DOTS_A_POINT))
    for number, system in enumerate(systems):
        aside = (number - (len(systems) - 1) / 2) * width
        found = {place: scores.get((system, bucket)) for place, bucket in enumerate(buckets)}
        bars = {place + aside: score for place, score in found.items() if score is not None}
        _bars(axes, bars, number, system, width=width * 0.9, size=size)
    axes.set(xlim=(-0.5, len(buckets) - 0.5), ylim=(0, 109))
    axes.set_xticks(range(len(buckets)), buckets, fontsize=12)
    axes.tick_params(length=0)
    _finish(figure, axes, path)


def draw_costs(curves: Sequence[CostCurve], path: Path, *, title: str) -> None:
    """Tokens of prompts against words written, a curve for each system. Raises as `draw_lengths` does."""
    drawn = [curve for curve in curves if curve.points]
    _require(drawn)
    figure, axes = _axes(title, "Words written", "Tokens of all prompts")
    for number, curve in enumerate(drawn):
        points = sorted(curve.points)
        words, tokens = points[-1]
        colour, mark = _style(number)
        axes.plot(
            [point[0] for point in points],
            [point[1] for point in points],
            color=colour,
            marker=mark,
            markevery=max(1, len(points) // 12),
            linewidth=1.8,
            label=f"{curve.system} ({short_number(tokens)} for {short_number(words)} words)",
        )
    axes.set(xlim=(0, None), ylim=(0, None))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: short_number(round(value)))
    _finish(figure, axes, path)


def _points(results: Sequence[WritingResult]) -> dict[str, list[_Point]]:
    """Words asked for and written, by system; 0 written where it failed."""
    points: dict[str, list[_Point]] = {}
    for one in results:
        if one.asked is not None:
            points.setdefault(one.system, []).append((one.asked, one.written if one.failure is None else 0))
    return points


def _scatter(axes: Axes, points: Sequence[tuple[float, int]], number: int, system: str, *, bottom: float) -> None:
    colour, mark = _style(number)
    for failed in (False, True):
        some = [point for point in points if failed is (point[1] == 0)]
        axes.scatter(
            [asked for asked, _ in some],
            [words or bottom for _, words in some],
            s=46,
            marker=mark,
            facecolors="none" if failed else colour,
            edgecolors=colour,
            alpha=0.8,
            label=None if failed else system,
            clip_on=False,
            zorder=3,
        )


def _bars(axes: Axes, bars: Mapping[float, PromptMean], number: int, system: str, *, width: float, size: int) -> None:
    """Bars of one system, and above them their values, where these are not too small to be read."""
    colour, _ = _style(number)
    hatch = _HATCHES[number // len(_COLOURS) % len(_HATCHES)]
    values = [score.mean for score in bars.values()]
    axes.bar(list(bars), values, width, color=colour, hatch=hatch, edgecolor="white", label=system)
    for at, score in bars.items():
        low, high = score.interval or (score.mean, score.mean)
        axes.plot([at, at], [low, high], color="black", linestyle="-", linewidth=1.2, label=None)
        if size >= _SIZES[0]:
            axes.text(at, high + 1.5, f"{score.mean:.0f}", ha="center", va="bottom", fontsize=size, color="black")


def _require(values: Sized) -> None:
    if not values:
        raise ConfigError("there is nothing to draw: no result has a length")


def _style(number: int) -> tuple[str, str]:
    return _COLOURS[number % len(_COLOURS)], _MARKS[number % len(_MARKS)]


def _ticks(low: float, high: float) -> tuple[list[int], list[str]]:
    """Round numbers of words for a logarithmic axis, 1, 2 and 5 times powers of ten, and how they are written."""
    numbers = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    shown = [number for number in numbers if low <= number <= high]
    return shown, [short_number(number) for number in shown]


def _axes(title: str, x: str, y: str, *, grid: str = "both") -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(
            f"drawing needs matplotlib ({error}); install it with: pip install 'longdoc[eval]'"
        ) from error
    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DOTS, layout="constrained")
    figure.suptitle(textwrap.fill(title, _TITLE_CHARACTERS), fontsize=14)
    axes = figure.add_subplot(1, 1, 1)
    axes.set_xlabel(x, fontsize=12)
    axes.set_ylabel(y, fontsize=12)
    axes.grid(visible=True, axis=grid, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _finish(figure: Figure, axes: Axes, path: Path) -> None:
    """Names below the plot, in as many columns as their length allows; and the file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, min(len(labels), _LEGEND_CHARACTERS // (max(map(len, labels)) + 6)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=11, frameon=False)
    try:
        FigureCanvasAgg(figure).print_png(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another file") from error
