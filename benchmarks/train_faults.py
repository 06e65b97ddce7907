"""Measures how long training takes to recover from faults: rows `faults` of `benchmarks/train.py`.

The tests that kill and stop workers, drivers and nodes hold each end against the losses of the undisturbed run, to
1e-4; on the way they note the seconds from the fault until training is further than it was. Here they run once, and the
seconds become rows. A test that fails gives none, and fails the benchmark.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from table import Row, row

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "build" / "bench" / "faults.xml"
TESTS = (
    "tests/training/workers/test_distributed.py::test_a_lost_worker_is_replaced_and_the_loss_is_that_of_the_undisturbed_run",
    "tests/training/workers/test_lost_machines.py",
)
BAR = 90.0
"""Seconds."""


def rows() -> list[Row]:
    """Lets the faults happen, one after the other."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={REPORT}", "-o", "junit_family=xunit1", *TESTS]
    done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr)
    if done.returncode:
        raise SystemExit(f"faults: pytest ended with {done.returncode}; see {REPORT}")
    found = ElementTree.parse(REPORT).iter("property")
    measured = [(part.attrib["name"], float(part.attrib["value"])) for part in found]
    return [row(f"{name}: seconds to the next step", seconds, bar=BAR, at_most=True) for name, seconds in measured]
