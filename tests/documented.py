"""The shell commands of a page of documentation, and running one as it is written there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """Returns the lines of the blocks that are marked `sh`."""
    return [line for block in _BLOCK.findall(page) for line in block.splitlines()]


def run(command: str, folder: Path, root: Path, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Runs a command of `lstmlm` in a folder; it may read a file as its standard input (`< FILE`)."""
    words = shlex.split(command)
    given = folder / words.pop(words.index("<") + 1) if "<" in words else None
    words = [word for word in words if word != "<"]
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        input=given.read_text(encoding="utf-8") if given else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
