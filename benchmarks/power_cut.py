"""Cuts the power at random moments of every stage, and looks at what is on the disk afterwards.

The outputs are on an ext4 file system of their own in a loop device. The cut is the kernel's own: the ioctl by which
the test suite of Linux's file systems simulates it stops all writes at once, what is not yet on the disk is lost, and
the journal is replayed at the next mount. Needs root and loop devices; says so and ends with 0 where there are none.

`make bench-power-cut` makes 100 cuts, and 24 of a program from which every fsync is taken away: the test must be able
to fail. QUICK=1: 12 of each. A stage that has returned must be whole after the cut; before that its folder must be
absent, and the same command must end with the bytes of an undisturbed run and leave nothing else.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import fcntl
import os
import random
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from stage_runs import STAGES, Inputs, contents, prepare, start
from table import Row, publish, row

from lstmlm.errors import UserError
from lstmlm.publish.folder import MANIFEST, read_manifest

QUICK = os.environ.get("QUICK") == "1"
CUTS, UNSYNCED = (12, 12) if QUICK else (100, 24)
IMAGE_BYTES = 96 << 20

_SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125  # EXT4_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2


class Disk:
    """A file system whose power can be cut.

    Attributes:
        folder: Where it is mounted.
    """

    def __init__(self, work: Path) -> None:
        self.folder, self._image = work / "disk", work / "disk.img"
        self.folder.mkdir(parents=True)
        with self._image.open("wb") as stream:
            stream.truncate(IMAGE_BYTES)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mounts it; replays the journal after a cut."""
        _run("mount", "-o", "loop,noauto_da_alloc", str(self._image), str(self.folder))

    def cut(self) -> None:
        """Stops all writes at once; what is not on the disk is lost. It stays mounted, and dead."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmounts it, dead or alive; waits for the processes that still had files open."""
        for _ in range(100):
            if subprocess.run(["umount", str(self.folder)], capture_output=True).returncode == 0:
                return
            time.sleep(0.05)
        _run("umount", "-l", str(self.folder))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


@contextlib.contextmanager
def disk() -> Iterator[Disk]:
    """Makes a file system, and removes it."""
    with tempfile.TemporaryDirectory(prefix="lstmlm-power-") as work:
        made = Disk(Path(work))
        try:
            yield made
        finally:
            made.unmount()


def why_not() -> str:
    """Returns why the power cannot be cut on this machine; empty where it can."""
    if os.geteuid() != 0:
        return "only root can mount a file system"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is not installed"
    try:
        with disk() as made:
            made.cut()
    except OSError as error:
        return str(error)
    return ""


@dataclasses.dataclass
class Cut:
    """What was found after a cut.

    Attributes:
        stage: The stage.
        done: Whether it had returned.
        fault: What was wrong; empty: nothing.
    """

    stage: str
    done: bool
    fault: str = ""


def cut_once(inputs: Inputs, stage: str, seconds: float | None, before: Callable[[], object] = lambda: None) -> Cut:
    """Cuts the power while or after a stage runs, and runs it again.

    Args:
        inputs: The finished tiny run.
        stage: The stage.
        seconds: From its start to the cut; None: it loses its power at the moment it returns.
        before: Called in the process of the stage first.
    """
    with disk() as made:
        output = made.folder / "jobs" / "out"
        run = start(inputs, stage, output, before)
        said = run.wait_until(time.monotonic() + (600 if seconds is None else seconds))
        made.cut()
        run.kill()
        made.unmount()
        made.mount()
        found = Cut(stage, "done" in said)
        found.fault = _fault(inputs, found, output, said) or _fault_of_rerun(inputs, stage, output)
        return found


def _fault(inputs: Inputs, cut: Cut, output: Path, said: list[str]) -> str:
    """Returns what is wrong right after the cut."""
    if cut.done:
        return _difference(inputs, cut.stage, output)
    if (output / MANIFEST).is_file():  # the cut came between the rename and the return
        return _difference(inputs, cut.stage, output)
    if output.is_dir() and any(output.iterdir()):
        return "a folder without a manifest"
    steps = [int(line.split()[1]) for line in said if line.startswith("step")]
    kept = [int(path.name[5:]) for path in output.parent.glob("runs/tiny/checkpoints/*/step-*") if _whole(path)]
    if steps and (not kept or max(kept) < steps[-1]):
        return (
            f"the checkpoint of step {steps[-1]} was written, and step {max(kept, default=0)} is the newest whole one"
        )
    return ""


def _whole(checkpoint: Path) -> bool:
    try:
        read_manifest(checkpoint, "checkpoint", verify=True)
    except UserError:
        return False
    return True


def _difference(inputs: Inputs, stage: str, output: Path) -> str:
    try:
        found = contents(output)
    except (UserError, OSError) as error:
        return str(error)
    wanted = inputs.reference(stage)
    return "" if found == wanted else f"other bytes in {sorted(set(found.items()) ^ set(wanted.items()))[0][0]}"


def _fault_of_rerun(inputs: Inputs, stage: str, output: Path) -> str:
    """Runs the stage again without any fault; returns what is wrong then."""
    if start(inputs, stage, output).finish() != 0:
        return "the same command fails after the cut"
    left = sorted(path.name for path in output.parent.iterdir() if path.name not in ("out", "runs"))
    return _difference(inputs, stage, output) or (f"leftovers: {left}" if left else "")


def durations(inputs: Inputs) -> dict[str, float]:
    """Returns the seconds that each stage takes."""
    found = {}
    for stage in STAGES:
        with disk() as made:
            began = time.monotonic()
            start(inputs, stage, made.folder / "out").finish()
            found[stage] = time.monotonic() - began
    return found


def without_sync() -> None:
    """Takes every fsync away from this process."""
    os.fsync = lambda descriptor: None  # type: ignore[assignment]


def cuts(inputs: Inputs, number: int, seed: int, before: Callable[[], object] = lambda: None) -> list[Cut]:
    """Cuts the power so many times, each stage in turn: in turn at a random moment, and when it has returned."""
    draw, took = random.Random(seed), durations(inputs)
    found = []
    for count in range(number):
        stage = STAGES[count % len(STAGES)]
        seconds = None if count // len(STAGES) % 2 else draw.uniform(0, 1.1) * took[stage]
        cut = cut_once(inputs, stage, seconds, before)
        if cut.fault:
            print(f"cut {count}, {stage}, {'after' if cut.done else 'before'} done: {cut.fault}", flush=True)
        found.append(cut)
    return found


def sync_cost(folder: Path) -> float:
    """Returns the milliseconds that a published folder of four files of 256 kB takes longer because it is synced."""
    from lstmlm.publish.folder import publish as publish_folder

    def once(path: Path) -> float:
        began = time.perf_counter()
        with publish_folder(path, "records") as draft:
            for number in range(4):
                (draft.path / f"{number}").write_bytes(bytes(1 << 18))
        return time.perf_counter() - began

    plain, synced = os.fsync, [once(folder / f"synced-{n}") for n in range(20)]
    without_sync()
    try:
        unsynced = [once(folder / f"unsynced-{n}") for n in range(20)]
    finally:
        os.fsync = plain
    return 1000 * float(np.median(synced) - np.median(unsynced))


def rows(inputs: Inputs) -> list[Row]:
    """Makes the cuts; returns the rows."""
    ours, bare = cuts(inputs, CUTS, 1), cuts(inputs, UNSYNCED, 2, without_sync)
    table = []
    for done, what in ((True, "after done: whole"), (False, "before: absent, the rerun equal")):
        found, peer = ([cut for cut in of if cut.done == done] for of in (ours, bare))
        share, without = (sum(not cut.fault for cut in of) / max(1, len(of)) for of in (found, peer))
        name = f"{len(found)} cuts {what} (share; peer: without fsync, {len(peer)} cuts)"
        table.append(row(name, share, peer=without, bar=1.0))
    faults = collections.Counter(cut.stage for cut in ours if cut.fault)
    table += [row(f"{stage}: faults after a cut", faults[stage], bar=0, at_most=True) for stage in STAGES]
    with tempfile.TemporaryDirectory(dir=inputs.folder) as folder:
        table.append(row("a published folder is synced (ms)", sync_cost(Path(folder)), bar=100, at_most=True, digits=1))
    return table


def main() -> None:
    """See the module."""
    if reason := why_not():
        print(f"power cuts skipped: {reason}")
        return
    with tempfile.TemporaryDirectory(prefix="lstmlm-inputs-") as folder:
        publish("power_cut", rows(prepare(Path(folder))))


if __name__ == "__main__":
    main()
