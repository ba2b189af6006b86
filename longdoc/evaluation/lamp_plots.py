"""Scores of systems on a set of users as a PNG, 1,200 dots wide: a panel for each metric, a line for each system."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from longdoc.agents.profile_tasks import Metric
from longdoc.errors import ConfigError
from longdoc.evaluation.lamp_metrics import LESS_IS_BETTER
from longdoc.evaluation.lamp_report import LampFigures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH: Final = 12.0
_DOTS: Final = 100
_HEAD, _ROW = 1.6, 0.38
_PLAIN, _ITEMS, _SUMMARY = "#666666", "#0072B2", "#D55E00"
"""Nothing of the user, items only, a summary: colours that people who see few can tell (Okabe and Ito, 2008)."""
_TITLE_CHARACTERS: Final = 100


def draw_scores(figures: Sequence[LampFigures], path: Path, *, title: str) -> None:
    """The value of each metric by system, with its 95 % interval.

    Raises `ConfigError` where there is nothing to draw, matplotlib is not installed, or nothing can be written there.
    """
    metrics = list(figures[0].scores) if figures else []
    if not metrics:
        raise ConfigError("there is nothing to draw: no system has a score")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(
            f"drawing needs matplotlib ({error}); install it with: pip install 'longdoc[eval]'"
        ) from error
    figure = Figure(figsize=(_WIDTH, _HEAD + _ROW * len(figures)), dpi=_DOTS, layout="constrained")
    figure.suptitle(textwrap.fill(title, _TITLE_CHARACTERS), fontsize=14)
    for number, metric in enumerate(metrics):
        _panel(figure.add_subplot(1, len(metrics), number + 1), figures, metric, names=number == 0)
    try:
        FigureCanvasAgg(figure).print_png(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; choose another file") from error


def _panel(axes: Axes, figures: Sequence[LampFigures], metric: Metric, *, names: bool) -> None:
    """The systems from top to bottom."""
    for place, one in enumerate(figures):
        score = one.scores[metric]
        low, high = score.interval or (score.value, score.value)
        axes.plot([low, high], [place, place], color=_colour(one), linestyle="-", linewidth=2.0, label=None)
        axes.scatter(
            [score.value],
            [place],
            s=46,
            marker="o",
            facecolors=_colour(one),
            edgecolors=_colour(one),
            alpha=1.0,
            label=None,
            clip_on=False,
            zorder=3,
        )
        axes.text(score.value, place - 0.18, f"{score.value:.3f}", ha="center", va="bottom", fontsize=9, color="black")
    axes.set(ylim=(len(figures) - 0.4, -0.7))
    axes.set_yticks(range(len(figures)), [one.system if names else "" for one in figures], fontsize=11)
    less = " (less is better)" if metric in LESS_IS_BETTER else ""
    axes.set_xlabel(f"{metric.value}{less}, with 95 % intervals over users", fontsize=11)
    axes.grid(visible=True, axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _colour(one: LampFigures) -> str:
    if one.with_summary:
        return _SUMMARY
    return _ITEMS if one.shown else _PLAIN
