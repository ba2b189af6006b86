"""Run benchmarks by name (all that take minutes by default) and put their tables into docs/benchmarks.md."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from pathlib import Path

from benchmarks.table import BenchmarkTable

_NAMES = (
    "long_texts",
    "overhead",
    "start_up",
    "embedded_slots",
    "prompt_lookup",
    "efficiency",
    "limiter_levels",
    "vector_index",
    "provenance",
    "summary_length",
    "gold_recall",
    "relevance_efficiency",
    "injected_memories",
    "chat_latency",
    "writing_cost",
    "personalization",
    "profile_import",
)
_BY_NAME_ONLY = (
    "real_books",
    "index_speed",
    "needle_recall",
    "question_sets",
    "memory_recall",
    "memory_scale",
    "long_conversation",
    "writing_length",
    "writing_repetition",
    "writing_session",
    "vllm_pipeline",
    "service_load",
)
"""What takes hours, or needs a GPU."""
_PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_INTRODUCTION = """# Benchmarks

Ratios and counts, measured by `make bench` (one of them: `python -m benchmarks NAME`). Seconds depend on the machine
and are shown for scale only.
"""


def main(names: list[str]) -> int:
    """Run, print, and update the page; 1 when a target is missed, 2 for a name that is not known."""
    unknown = [name for name in names if name not in {*_NAMES, *_BY_NAME_ONLY}]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; choose from: {', '.join((*_NAMES, *_BY_NAME_ONLY))}")
        return 2
    passed = True
    for name in names or _NAMES:
        table: BenchmarkTable = importlib.import_module(f"benchmarks.{name}").run()
        print(table.markdown(), flush=True)
        _update(name, table)
        passed = passed and table.passed
    return 0 if passed else 1


def _update(name: str, table: BenchmarkTable) -> None:
    page = _PAGE.read_text(encoding="utf-8") if _PAGE.exists() else _INTRODUCTION
    note = f"`python -m benchmarks {name}`, Python {platform.python_version()}, {platform.machine()}."
    block = f"<!-- {name} -->\n{table.markdown()}\n{note}\n<!-- end {name} -->\n"
    marked = re.compile(rf"<!-- {name} -->.*?<!-- end {name} -->\n", re.DOTALL)
    page = marked.sub(lambda _: block, page) if marked.search(page) else f"{page}\n{block}"
    _PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
