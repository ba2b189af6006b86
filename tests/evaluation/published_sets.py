"""Where published sets for measuring lie, for tests that read them where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def needs(path: Path) -> pytest.MarkDecorator:
    """A test that is skipped where a published set is absent."""
    return pytest.mark.skipif(not path.exists(), reason=f"the published set is not here ({path.name})")
