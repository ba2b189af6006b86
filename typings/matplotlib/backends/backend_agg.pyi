from pathlib import Path

from matplotlib.figure import Figure

class FigureCanvasAgg:
    def __init__(self, figure: Figure) -> None: ...
    def print_png(self, path: Path, /) -> None: ...
