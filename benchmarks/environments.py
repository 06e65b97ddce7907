"""Environments of their own for the systems we measure ourselves against, below `build/peers`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".uv" / "bin" / "uv"

DATATROVE = ("datatrove[io,processing]==0.10.1", "orjson", "spacy")
SKLEARN = ("scikit-learn==1.5.1", "numpy<2")
# The registry's only wheel for Linux does not load without its CUDA libraries, so they come too (5 GB).
TORCH = ("torch==2.13.0", "numpy")


def peer_python(name: str, packages: tuple[str, ...]) -> Path:
    """Returns the Python of a peer's environment, made at the first call.

    Args:
        name: Folder below `build/peers`.
        packages: What is installed into it.
    """
    folder = ROOT / "build" / "peers" / name
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.is_file() or ready.read_text(encoding="utf-8") != "\n".join(packages):
        subprocess.run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *packages], check=True)
        ready.write_text("\n".join(packages), encoding="utf-8")
    return python
