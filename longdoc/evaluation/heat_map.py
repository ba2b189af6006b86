"""Heat maps as PNG: how much is found by length of the text and depth in it, a panel for each strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from longdoc.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cells: TypeAlias = Mapping[tuple[int, float], float]
"""Rates (0 to 1) by length in tokens and depth (0 to 1)."""

_WIDTH: Final = 12.0
_DOTS: Final = 100
"""Dots an inch, so that a picture is 1,200 wide."""
_ROW = 0.27
_AROUND_PANEL = 0.95
_HEAD = 0.7
_MOST_LENGTHS_BESIDE = 9
"""With more lengths than these, panels stand below each other."""
_COLOURS = "cividis"
"""Told apart by people who see few colours, and in grey."""
_DARK_BELOW = 0.45
_MISSING = "#eeeeee"


@dataclass(frozen=True, slots=True)
class Panel:
    """What one strategy found; a length and depth that was not tried has no cell."""

    title: str
    cells: Cells


def draw_heat_map(panels: Sequence[Panel], path: Path, *, title: str, measure: str) -> None:
    """Write a PNG, 1,200 dots wide; each cell also says its rate in percent. `measure` is what the rates are of.

    Raises `ConfigError` where there is nothing to draw, matplotlib is not installed, or nothing can be written there.
    """
    if not any(panel.cells for panel in panels):
        raise ConfigError("there is nothing to draw: no case has a length and a depth")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(
            f"drawing needs matplotlib ({error}); install it with: pip install 'longdoc[eval]'"
        ) from error
    lengths = sorted({length for panel in panels for length, _ in panel.cells})
    depths = sorted({depth for panel in panels for _, depth in panel.cells})
    beside = 1 if len(lengths) > _MOST_LENGTHS_BESIDE or len(panels) == 1 else 2
    rows = math.ceil(len(panels) / beside)
    height = _HEAD + rows * (_AROUND_PANEL + _ROW * len(depths))
    figure = Figure(figsize=(_WIDTH, height), dpi=_DOTS, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=14)
    figure.supxlabel(f"Length in tokens · each cell: {measure} in percent", fontsize=11)
    figure.supylabel("Depth in percent", fontsize=11)
    for number, panel in enumerate(panels, 1):
        _draw(figure.add_subplot(rows, beside, number), panel, lengths, depths)
    try:
        canvas.print_png(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another file") from error


def cells_of(rates: Sequence[tuple[int | None, float | None, float | None]]) -> dict[tuple[int, float], float]:
    """Cells of (length, depth, rate), without those of which one is not known."""
    return {
        (length, depth): rate
        for length, depth, rate in rates
        if length is not None and depth is not None and rate is not None
    }


def short_number(tokens: int) -> str:
    """A length in few characters: 8k, 512k, 4M."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if tokens >= size:
            return f"{tokens / size:.3g}{letter}"
    return str(tokens)


def _draw(axes: Axes, panel: Panel, lengths: Sequence[int], depths: Sequence[float]) -> None:
    from matplotlib import colormaps

    colours = colormaps[_COLOURS].with_extremes(bad=_MISSING)
    rates = [[panel.cells.get((length, depth), math.nan) for length in lengths] for depth in depths]
    axes.imshow(rates, cmap=colours, vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_title(panel.title, fontsize=12)
    axes.set_xticks(range(len(lengths)), [short_number(length) for length in lengths], fontsize=10)
    axes.set_yticks(range(len(depths)), [f"{100 * depth:.0f}" for depth in depths], fontsize=10)
    axes.tick_params(length=0)
    for row, cells in enumerate(rates):
        for column, rate in enumerate(cells):
            text = "-" if math.isnan(rate) else f"{100 * rate:.0f}"
            ink = "white" if rate < _DARK_BELOW else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=11, color=ink)
