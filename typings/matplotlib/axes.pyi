from collections.abc import Callable, Sequence

from matplotlib.colors import Colormap

class Axis:
    def set_major_formatter(self, formatter: Callable[[float, int], str]) -> None: ...

class Axes:
    xaxis: Axis
    yaxis: Axis
    def set(
        self,
        *,
        xscale: str = ...,
        yscale: str = ...,
        xlim: tuple[float, float | None] = ...,
        ylim: tuple[float, float | None] = ...,
    ) -> object: ...
    def set_xlabel(self, xlabel: str, *, fontsize: int) -> object: ...
    def set_ylabel(self, ylabel: str, *, fontsize: int) -> object: ...
    def set_axisbelow(self, b: bool, /) -> None: ...
    def grid(self, *, visible: bool, axis: str, color: str, linewidth: float) -> None: ...
    def minorticks_off(self) -> None: ...
    def plot(
        self,
        x: Sequence[float],
        y: Sequence[float],
        /,
        *,
        color: str,
        linewidth: float,
        label: str | None,
        linestyle: str = ...,
        marker: str = ...,
        markevery: int = ...,
    ) -> object: ...
    def scatter(
        self,
        x: Sequence[float],
        y: Sequence[float],
        /,
        *,
        s: float,
        marker: str,
        facecolors: str,
        edgecolors: str,
        alpha: float,
        label: str | None,
        clip_on: bool,
        zorder: int,
    ) -> object: ...
    def bar(
        self,
        x: Sequence[float],
        height: Sequence[float],
        width: float,
        /,
        *,
        color: str,
        hatch: str,
        edgecolor: str,
        label: str,
    ) -> object: ...
    def get_legend_handles_labels(self) -> tuple[list[object], list[str]]: ...
    def imshow(
        self, values: Sequence[Sequence[float]], /, cmap: Colormap, *, aspect: str, vmin: float, vmax: float
    ) -> object: ...
    def set_title(self, label: str, *, fontsize: int) -> object: ...
    def set_xticks(self, ticks: Sequence[int], labels: Sequence[str], *, fontsize: int) -> object: ...
    def set_yticks(self, ticks: Sequence[int], labels: Sequence[str], *, fontsize: int) -> object: ...
    def tick_params(self, *, length: int) -> None: ...
    def text(self, x: float, y: float, s: str, *, ha: str, va: str, fontsize: int, color: str) -> object: ...
