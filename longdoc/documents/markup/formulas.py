"""Formulas of office files (OMML, MathML) as compact text: a_b, x^2, (a)/(b), √(x).

Owns the notation only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from longdoc.documents.markup.xml import Element, attribute, local_name

_SKIPPED = frozenset({"annotation", "annotation-xml", "ctrlpr"})
_DEFAULT_NARY = "∫"


def formula_text(element: Element) -> str:
    """A formula on one line, without superfluous space."""
    return " ".join(_text(element).split())


def _text(element: Element) -> str:
    name = local_name(element)
    if name == "mo":
        return f" {(element.text or '').strip()} "
    parts = [_text(child) for child in element if not _is_property(child)]
    write = _WRITERS.get(name)
    if write is not None:
        return write(element, parts)
    return (element.text or "").strip(" \n") + "".join(parts) if len(parts) == 0 else "".join(parts)


def _is_property(element: Element) -> bool:
    """Whether an element says how its parent looks; OMML calls all of these "…Pr"."""
    name = local_name(element)
    return not name or name in _SKIPPED or name.endswith("pr")


def _script(signs: str) -> Callable[[Element, Sequence[str]], str]:
    """A base with what is set below ("_") and above ("^") it, in this order."""

    def write(_: Element, parts: Sequence[str]) -> str:
        scripts = (f"{sign}{_grouped(part)}" for sign, part in zip(signs, parts[1:], strict=False) if part.strip())
        return "".join(parts[:1]).strip() + "".join(scripts)

    return write


def _joined(joint: str) -> Callable[[Element, Sequence[str]], str]:
    return lambda _, parts: joint.join(parts)


def _fraction(_: Element, parts: Sequence[str]) -> str:
    return "/".join(_grouped(part) for part in parts[:2])


def _root(_: Element, parts: Sequence[str]) -> str:
    return f"√({''.join(parts).strip()})"


def _mathml_root(_: Element, parts: Sequence[str]) -> str:
    """A root whose degree comes last."""
    return f"{''.join(parts[1:]).strip()}√({''.join(parts[:1]).strip()})"


def _omml_root(_: Element, parts: Sequence[str]) -> str:
    """A root whose degree, often empty, comes first."""
    return f"{''.join(parts[:-1]).strip()}√({''.join(parts[-1:]).strip()})"


def _nary(element: Element, parts: Sequence[str]) -> str:
    """A sum, product or integral with its bounds."""
    bounds = "".join(f"{sign}{_grouped(part)}" for sign, part in zip("_^", parts, strict=False) if part.strip())
    return f"{_property(element, 'chr', _DEFAULT_NARY)}{bounds} {''.join(parts[2:])}"


def _delimited(element: Element, parts: Sequence[str]) -> str:
    begin, end = _property(element, "begchr", "("), _property(element, "endchr", ")")
    return begin + _property(element, "sepchr", "|").join(parts) + end


def _property(element: Element, name: str, default: str) -> str:
    """A character that the properties of an element set."""
    for properties in element:
        if _is_property(properties):
            for child in properties:
                if local_name(child) == name:
                    return attribute(child, "val")
    return default


def _grouped(part: str) -> str:
    part = part.strip()
    return part if len(part) <= 1 or part.isalnum() else f"({part})"


_WRITERS: dict[str, Callable[[Element, Sequence[str]], str]] = {
    **dict.fromkeys(("ssub", "msub", "munder", "limlow"), _script("_")),
    **dict.fromkeys(("ssup", "msup", "mover", "limupp"), _script("^")),
    **dict.fromkeys(("ssubsup", "msubsup", "munderover"), _script("_^")),
    **dict.fromkeys(("f", "mfrac"), _fraction),
    **dict.fromkeys(("m", "mtable", "eqarr"), _joined("; ")),
    **dict.fromkeys(("mr", "mtr"), _joined(", ")),
    "msqrt": _root,
    "mroot": _mathml_root,
    "rad": _omml_root,
    "nary": _nary,
    "d": _delimited,
}
