"""Measures how long hostile texts take in every step of the corpus: 1 MB of one pattern over and over.

    make bench-adversarial
    python benchmarks/adversarial.py [STEP ...]

One row for each step: the seconds of processor time of the text that takes longest, the least of three runs where the
first is above the bar. A text that takes longer than the limit ends the process of its step, whatever code it is in;
the step's other texts are measured in another one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from adversarial_steps import STEPS
from adversarial_texts import MB, TEXTS
from table import Row, publish, row

BAR = 2.0
LIMIT = 30.0
REPEATS = 3
"""Times that a text is measured where it takes longer than the bar. The least counts: others use the machine too."""


def seconds(step: str, size: int = MB, limit: float = LIMIT, texts: Sequence[str] = ()) -> Iterator[tuple[str, float]]:
    """Yields name of a text -> seconds of processor time in a step; infinity where it takes longer than the limit.

    Args:
        step: One of `STEPS`.
        size: Characters of each text, about.
        limit: Seconds that one text may take, by the clock.
        texts: Names of texts; empty: all.
    """
    left = list(texts or TEXTS)
    while left:
        command = [sys.executable, __file__, "--in-child", step, "--size", str(size), "--limit", str(limit), *left]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment)
        for line in ran.stdout.splitlines():
            name, taken = json.loads(line)
            yield name, taken
            left.remove(name)
        if ran.returncode not in (0, -signal.SIGALRM):
            raise RuntimeError(f"{step}: {left[0]!r} ended the process with {ran.returncode}: {ran.stderr}")
        if left:
            yield left.pop(0), float("inf")


def _in_child(step: str, size: int, limit: float, names: Sequence[str]) -> None:
    apply = STEPS[step]()
    apply("a short text, so that what is loaded or compiled at first use is there")
    for name in names:
        text = TEXTS[name](size)
        # Its default action ends the process, in the middle of a search by `re` too.
        signal.setitimer(signal.ITIMER_REAL, limit)
        started = time.process_time()
        apply(text)
        taken = time.process_time() - started
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps([name, taken]), flush=True)


def measure(steps: Sequence[str], size: int = MB) -> Iterator[Row]:
    """Yields a row a step."""
    for step in steps:
        taken_by = dict(seconds(step, size))
        for _ in range(REPEATS - 1):
            slow = [name for name, taken in taken_by.items() if taken > BAR]
            for name, taken in seconds(step, size, texts=slow) if slow else ():
                taken_by[name] = min(taken_by[name], taken)
        worst, taken = max(taken_by.items(), key=lambda found: found[1])
        yield row(f"{step}, seconds for 1 MB; longest: {worst}", min(taken, LIMIT), bar=BAR, at_most=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="steps; absent: all")
    parser.add_argument("--in-child", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=MB)
    parser.add_argument("--limit", type=float, default=LIMIT)
    arguments = parser.parse_args()
    if arguments.in_child:
        _in_child(arguments.in_child, arguments.size, arguments.limit, arguments.names)
        return
    publish("adversarial", list(measure(arguments.names or list(STEPS), arguments.size)))


if __name__ == "__main__":
    main()
