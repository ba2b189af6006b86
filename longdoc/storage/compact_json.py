"""JSON as it is stored and hashed: compact, ASCII (so that any text survives any database)."""

from __future__ import annotations

import json


def to_json(value: object) -> str:
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":"))


def to_canonical_json(value: object) -> str:
    """The one JSON text of a value: equal values give equal texts, in every process."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
