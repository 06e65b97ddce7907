"""Kills every stage at random moments, starts it again, and compares with a run that nothing happened to.

`make bench-kills` makes 300 kills (-9, the whole process group), QUICK=1: 24. After the same command has ended, the
bytes must be those of the undisturbed run, no process of the killed one may be alive, and nothing may be left around
the output. Where the batch job has two worker processes only the job is killed: they must end by themselves.
"""

from __future__ import annotations

import collections
import os
import random
import tempfile
import time
import uuid
from pathlib import Path

import psutil
from stage_runs import Inputs, contents, prepare, start
from table import Row, publish, row

from lstmlm.publish.folder import MANIFEST

QUICK = os.environ.get("QUICK") == "1"
KILLS = 24 if QUICK else 300
STAGES = ("ingest", "train", "infer", "infer by processes", "tokenizer", "examples", "export")
MARK = "LSTMLM_KILLS_MARK"
PATIENCE = 30.0
"""Seconds in which the processes of a killed job must have ended."""


def marked(mark: str) -> list[psutil.Process]:
    """Returns the processes that are alive and were started under a mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if process.pid != os.getpid()]


def kill_once(inputs: Inputs, stage: str, seconds: float) -> str:
    """Kills a stage and runs it again.

    Args:
        inputs: The finished tiny run.
        stage: One of `STAGES`.
        seconds: From its start to the kill.

    Returns:
        What was wrong; empty: nothing.
    """
    name, _, processes = stage.partition(" by ")
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="lstmlm-kills-") as folder:
        output = Path(folder) / "out"
        run = start(inputs, name, output, lambda: os.environ.update({MARK: mark}), processes=bool(processes))
        run.wait_until(time.monotonic() + seconds)
        # Forked, so the environment that the system shows is the parent's: the group distinguishes them.
        group = _group(run.pid) | set(marked(mark))
        run.kill(only_this=bool(processes))
        half = (output / MANIFEST).is_file() and contents(output) != inputs.reference(name)
        _, alive = psutil.wait_procs([process for process in group if process.pid != run.pid], timeout=PATIENCE)
        if alive:
            for process in alive:
                process.kill()
            return f"{len(alive)} orphans"
        if half:
            return "a half-written output looks finished"
        if start(inputs, name, output).finish() != 0:
            return "the same command fails after the kill"
        if contents(output) != inputs.reference(name):
            return "other bytes"
        left = sorted(path.name for path in Path(folder).iterdir() if path.name not in ("out", "runs"))
        left += [str(path.relative_to(folder)) for path in Path(folder).glob("runs/*/checkpoints/*")]
        return f"leftovers: {left}" if left else ""


def _group(pid: int) -> set[psutil.Process]:
    """Returns the descendants of a process."""
    try:
        return set(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return set()


def durations(inputs: Inputs) -> dict[str, float]:
    """Returns the seconds that each stage takes."""
    found = {}
    for stage in STAGES:
        name, _, processes = stage.partition(" by ")
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            start(inputs, name, Path(folder) / "out", processes=bool(processes)).finish()
            found[stage] = time.monotonic() - began
    return found


def rows(inputs: Inputs) -> list[Row]:
    """Makes the kills; returns the rows."""
    draw, took = random.Random(3), durations(inputs)
    faults: dict[str, collections.Counter[str]] = {stage: collections.Counter() for stage in STAGES}
    made: collections.Counter[str] = collections.Counter()
    for count in range(KILLS):
        stage = STAGES[count % len(STAGES)]
        fault = kill_once(inputs, stage, draw.uniform(0, 1.1) * took[stage])
        made[stage] += 1
        if fault:
            print(f"kill {count}, {stage}: {fault}", flush=True)
            faults[stage][fault.split(":")[0].lstrip("0123456789 ")] += 1
    table = [
        row(f"{stage}: {made[stage]} kills, faults", sum(faults[stage].values()), bar=0, at_most=True)
        for stage in STAGES
    ]
    kinds = ("other bytes", "orphans", "leftovers")
    table += [
        row(f"{kind} after {KILLS} kills", sum(found[kind] for found in faults.values()), bar=0, at_most=True)
        for kind in kinds
    ]
    return table


def main() -> None:
    """See the module."""
    with tempfile.TemporaryDirectory(prefix="lstmlm-inputs-") as folder:
        publish("kills", rows(prepare(Path(folder))))


if __name__ == "__main__":
    main()
