"""The report of a summary run: one HTML file that holds everything and asks the network for nothing.

Owns what a report is made of and how that enters the page. How it looks and what it does is `report_page.html`, which
writes what it shows as text, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict, dataclass
from importlib.resources import files

_POLICY = "{{policy}}"
_REPORT = "{{report}}"
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)
_UNSAFE = re.compile("[<\u2028\u2029\ud800-\udfff]")
"""What must not stand as it is in a script element, or cannot be written as UTF-8. JSON has it in strings only."""


@dataclass(frozen=True, slots=True)
class ReportSentence:
    """A sentence of a node, `node.text[start:end]`, and what it rests on.

    `score` is the strength of the support, from 0 to 1; `spans` are offsets in the document's text, best first;
    `children` are sentences of other nodes: the id of the node and the number of the sentence there, from 0.
    """

    start: int
    end: int
    score: float
    supported: bool
    spans: tuple[tuple[int, int], ...] = ()
    children: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ReportNode:
    """A summary of the tree. Level 0 is made from the source itself, which `start` and `end` are offsets of.

    `status` is "done", "truncated" or "gap", and `reason` says why; `children` are ids in order. Without
    `sentences` the text is shown in one piece that stands for its range of the source.
    """

    id: str
    level: int
    title: str
    status: str
    reason: str
    text: str
    start: int | None
    end: int | None
    children: tuple[str, ...] = ()
    sentences: tuple[ReportSentence, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A titled range of the document's text; an outermost one has depth 0, and parents come before children."""

    title: str
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows.

    `nodes` has children before parents, `root` is the id of the summary itself. `facts` are rows of label and value;
    how many sentences have support is counted by the page. `language` (BCP 47) is that of the texts, if known.
    """

    title: str
    creators: tuple[str, ...]
    source: str
    document_text: str
    sections: tuple[ReportSection, ...]
    nodes: tuple[ReportNode, ...]
    root: str
    facts: tuple[tuple[str, str], ...]
    language: str = ""


def report_html(report: Report) -> str:
    """The report as one HTML page."""
    page = files("longdoc.cli").joinpath("report_page.html").read_text(encoding="utf-8")
    return page.replace(_POLICY, _policy(page)).replace(_REPORT, _embedded(report))


def _policy(page: str) -> str:
    """A content security policy that lets the page's own style and script work and nothing else."""
    hashes = {tag: _hash(content) for tag, content in _INLINE.findall(page)}
    return (
        f"default-src 'none'; style-src '{hashes['style']}'; script-src '{hashes['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _embedded(report: Report) -> str:
    text = json.dumps(asdict(report), ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
