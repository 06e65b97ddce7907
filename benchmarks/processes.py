"""Runs commands on given cores and returns their exit status, time and memory."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Ran:
    """How a process went: `seconds` of wall time, `peak` memory of its largest process in bytes."""

    seconds: float
    peak: int


def pinned(cores: set[int]) -> dict[str, Any]:
    """Returns the arguments of `subprocess` so that a command has these cores and one thread for matrix products."""
    return {
        "cwd": ROOT,
        "preexec_fn": lambda: os.sched_setaffinity(0, cores),
        "env": os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
    }


def timed(command: Sequence[object], cores: set[int]) -> Ran:
    """Runs a command on the given cores (see `pinned`) and waits for it."""
    started = time.perf_counter()
    words = list(map(str, command))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **pinned(cores))
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}\n{errors.decode()[-2000:]}")
    return Ran(time.perf_counter() - started, usage.ru_maxrss * 1024)
