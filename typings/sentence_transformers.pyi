from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

class SentenceTransformer:
    def __init__(
        self, model_name_or_path: str, *, device: str | None = None, local_files_only: bool = False
    ) -> None: ...
    def encode(
        self,
        inputs: Sequence[str],
        *,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        convert_to_numpy: Literal[True] = True,
    ) -> NDArray[np.floating[Any]]: ...
