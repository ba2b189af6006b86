from matplotlib.colors import Colormap

class ColormapRegistry:
    def __getitem__(self, name: str) -> Colormap: ...

colormaps: ColormapRegistry
