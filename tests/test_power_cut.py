"""Cuts the power of a file system while folders are published; `make bench-power-cut` does it to every stage."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import power_cut
import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import MANIFEST, publish, read_manifest

PUBLISH = """
import os, sys
from pathlib import Path
from lstmlm.publish.folder import publish
if sys.argv[2] == "unsynced":
    os.fsync = lambda descriptor: None
for number in range(1000):
    with publish(Path(sys.argv[1]) / f"out-{number:03d}", "records", "s") as draft:
        (draft.path / "Split-train").mkdir()
        for name in ("a", "Split-train/b"):
            (draft.path / name).write_bytes(bytes([number % 256]) * 10_000)
    print(number, flush=True)
"""


@pytest.fixture
def disk() -> Iterator[power_cut.Disk]:
    if reason := power_cut.why_not():
        pytest.skip(f"the power cannot be cut here: {reason}")
    with power_cut.disk() as made:
        yield made


def published_before_a_cut(disk: power_cut.Disk, root: Path, seconds: float, how: str) -> int:
    """Publishes folder after folder until the power is cut; returns how many had been reported as published."""
    command = [sys.executable, "-c", PUBLISH, str(disk.folder), how]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]  # the first folder is there
        time.sleep(seconds)  # the moment is what the test draws
        disk.cut()
        process.kill()
        lines += process.stdout.readlines()
    disk.unmount()
    disk.mount()
    return len(lines)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_what_was_published_is_whole_after_a_power_cut_and_nothing_is_half_there(
    disk: power_cut.Disk, root: Path, seed: int
) -> None:
    done = published_before_a_cut(disk, root, random.Random(seed).uniform(0, 0.4), "synced")
    found = sorted(disk.folder.glob("out-*"))
    assert len(found) in (done, done + 1)  # the power may fail between the rename and the report
    for number, folder in enumerate(found):
        read_manifest(folder, "records", verify=True)
        assert (folder / "a").read_bytes() == bytes([number % 256]) * 10_000
    with publish(disk.folder / "next", "records"):
        pass
    assert not list(disk.folder.glob(".*.partial-*"))


@pytest.mark.slow
def test_the_cut_takes_away_what_is_not_synced(disk: power_cut.Disk, root: Path) -> None:
    done = published_before_a_cut(disk, root, 0.0, "unsynced")

    def whole(folder: Path) -> bool:
        try:
            return bool(read_manifest(folder, verify=True))
        except UserError:
            return False

    assert sum(whole(folder) for folder in disk.folder.glob("out-*") if (folder / MANIFEST).exists()) < done
