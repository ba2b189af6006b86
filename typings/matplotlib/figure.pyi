from collections.abc import Sequence

from matplotlib.axes import Axes

class Figure:
    def __init__(self, *, figsize: tuple[float, float], dpi: int, layout: str) -> None: ...
    def suptitle(self, t: str, *, fontsize: int) -> object: ...
    def supxlabel(self, t: str, *, fontsize: int) -> object: ...
    def supylabel(self, t: str, *, fontsize: int) -> object: ...
    def add_subplot(self, rows: int, columns: int, index: int, /) -> Axes: ...
    def legend(
        self,
        handles: Sequence[object],
        labels: Sequence[str],
        *,
        loc: str,
        ncols: int,
        fontsize: int,
        frameon: bool,
    ) -> object: ...
