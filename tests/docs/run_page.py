"""Run the blocks of a page, one after the other, in the folder it is started in: `python run_page.py PAGE`.

All blocks in Python have one namespace; commands have one folder and one environment, and fail as a whole.
"""

import ast
import asyncio
import inspect
import subprocess
import sys
from pathlib import Path

from blocks import Block, blocks_of


def run_python(block: Block, namespace: dict[str, object]) -> None:
    """Run a block; where it waits at its top, as notebooks may, in a loop."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, block.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, namespace))
    else:
        exec(code, namespace)


def main(page: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks_of(page):
        if not block.runs:
            continue
        print(f"{block.page}:{block.line}", flush=True)
        if block.commands:
            subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], check=True, stdin=subprocess.DEVNULL)
        else:
            run_python(block, namespace)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
