"""The smallest value that fits a JSON schema, for engines that answer without a model."""

from __future__ import annotations

import math
from collections.abc import Mapping

from longdoc.json_value import JsonValue

_DEEPEST = 32


def smallest_instance(schema: Mapping[str, JsonValue]) -> JsonValue:
    """A value for `schema`: required properties only, the fewest items, the shortest strings, the lowest numbers.

    Understands what pydantic writes: types, enum, const, default-free objects, arrays, anyOf, oneOf, allOf with one
    member, and `$ref` into `$defs`. Patterns and formats are not looked at.
    """
    return _smallest(schema, schema, depth=0)


def _smallest(schema: Mapping[str, JsonValue], root: Mapping[str, JsonValue], *, depth: int) -> JsonValue:
    if depth > _DEEPEST:
        return None
    if "const" in schema:
        return schema["const"]
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    inner = _referred(schema, root)
    if inner is not None:
        return _smallest(inner, root, depth=depth + 1)
    return _of_type(_type(schema), schema, root, depth=depth)


def _referred(schema: Mapping[str, JsonValue], root: Mapping[str, JsonValue]) -> Mapping[str, JsonValue] | None:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        definitions = root.get("$defs")
        found = definitions.get(reference.rpartition("/")[2]) if isinstance(definitions, dict) else None
        return found if isinstance(found, dict) else None
    for key in ("anyOf", "oneOf", "allOf"):
        members = schema.get(key)
        if isinstance(members, list) and members and isinstance(members[0], dict):
            return members[0]
    return None


def _type(schema: Mapping[str, JsonValue]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    first = kind[0] if isinstance(kind, list) and kind else kind
    return first if isinstance(first, str) else "string"


def _of_type(kind: str, schema: Mapping[str, JsonValue], root: Mapping[str, JsonValue], *, depth: int) -> JsonValue:
    match kind:
        case "object":
            return _object(schema, root, depth=depth)
        case "array":
            items = schema.get("items")
            item: Mapping[str, JsonValue] = items if isinstance(items, dict) else {}
            return [_smallest(item, root, depth=depth + 1) for _ in range(int(_number(schema, "minItems")))]
        case "integer" | "number":
            return _lowest(schema, whole=kind == "integer")
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return "x" * int(_number(schema, "minLength"))


def _object(schema: Mapping[str, JsonValue], root: Mapping[str, JsonValue], *, depth: int) -> JsonValue:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return {}
    made: dict[str, JsonValue] = {}
    for name in required:
        inner = properties.get(name) if isinstance(name, str) else None
        if isinstance(name, str):
            made[name] = _smallest(inner, root, depth=depth + 1) if isinstance(inner, dict) else None
    return made


def _lowest(schema: Mapping[str, JsonValue], *, whole: bool) -> JsonValue:
    if "minimum" in schema:
        lowest = _number(schema, "minimum")
    elif "exclusiveMinimum" in schema:
        lowest = _number(schema, "exclusiveMinimum") + 1
    else:
        lowest = min(0, _number(schema, "maximum"))
    return math.ceil(lowest) if whole else float(lowest)


def _number(schema: Mapping[str, JsonValue], key: str) -> float:
    value = schema.get(key)
    return value if isinstance(value, int | float) else 0
