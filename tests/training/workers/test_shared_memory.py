"""Workers of one machine that sum through memory: the sums of the ring, and no endless wait for a peer that is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.shared_memory import Region, region_bytes, through_memory
from tests.training.workers.test_lost_peers import PATIENCE, addresses

PROGRAM = """
import sys
import tensorflow as tf
from lstmlm.training.workers.all_reduce import Ring
from lstmlm.training.workers.shared_memory import through_memory
rank, world, timeout, floats = map(int, sys.argv[1:])
ring = Ring(rank, world, timeout=60, gpu=False)
group = through_memory(ring, floats, timeout)
add = tf.function(lambda *values: group.sum(values))
draws = [tf.random.stateless_normal(shape, [rank, 7]) for shape in ([300, 70], [], [11])]
assert not group.sum([])  # a model without state has none to collect
pairs = zip(add(*draws), ring.sum(draws))
print(type(group).__name__, *(float(abs(one - other).numpy().max()) for one, other in pairs), flush=True)
step = tf.function(lambda value: group.sum([value])[0])
while True:
    print(float(step(tf.constant(1.0))), flush=True)
"""


def start(world: int, timeout: int, floats: int, root: Path) -> list[subprocess.Popen[str]]:
    workers = [*addresses(), *addresses()][:world]
    return [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, (rank, world, timeout, floats))],
            env={
                **os.environ,
                "TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}),
                "PYTHONPATH": str(root),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.readline() or pytest.fail(process.stderr.read())


@pytest.mark.slow
@pytest.mark.parametrize(("world", "kind", "floats"), [(2, "SharedMemory", 21_012), (3, "SharedMemory", 30_000)])
def test_sums_are_those_of_the_ring(root: Path, world: int, kind: str, floats: int) -> None:
    group = start(world, 60, floats, root)
    try:
        for process in group:
            name, *differences = line(process).split()
            assert name == kind
            assert max(map(float, differences)) <= (0.0 if world == 2 else 1e-6)
            assert line(process) == f"{float(world)}\n"
    finally:
        for process in group:
            process.kill()


@pytest.mark.slow
def test_what_is_too_large_for_the_memory_goes_over_the_network(root: Path) -> None:
    group = start(2, 60, 100, root)
    try:
        assert {line(process) for process in group} == {"SharedMemory 0.0 0.0 0.0\n"}
    finally:
        for process in group:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "message"),
    [(signal.SIGKILL, "worker 1 of 2 has ended"), (signal.SIGSTOP, "worker 1 of 2 was silent for 3 s")],
)
def test_a_lost_peer_ends_the_others(root: Path, number: signal.Signals, message: str) -> None:
    pair = start(2, 3, 30_000, root)
    try:
        for process in pair:
            line(process)
        pair[1].send_signal(number)
        _, errors = pair[0].communicate(timeout=PATIENCE)
        assert pair[0].returncode == 1
        assert message in errors
    finally:
        for process in pair:
            process.kill()


def test_one_worker_needs_no_region() -> None:
    group = SingleWorker()
    assert through_memory(group, 100, 1.0) is group


def test_a_region_that_cannot_be_opened_leaves_the_ring() -> None:
    class Apart:
        """Two workers whose first one is on another machine: its process is none of ours."""

        rank, world = 1, 2

        def sum(self, values):  # type: ignore[no-untyped-def]
            import tensorflow as tf

            parts = [value.numpy() for value in values]
            return [tf.constant([2.0**22, 5, 1, 2, 3, 4]) if len(part) == 6 else tf.constant(part) for part in parts]

    apart = Apart()
    assert through_memory(apart, 100, 1.0) is apart


def test_another_file_of_the_same_number_is_not_taken(tmp_path: Path) -> None:
    file = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.truncate(file, region_bytes(2, 100))

    class Mistaken:
        """The first worker's numbers mean a file of this process that is not its region."""

        rank, world = 1, 2

        def sum(self, values):  # type: ignore[no-untyped-def]
            import tensorflow as tf

            facts = tf.constant([float(os.getpid()), float(file), 1, 2, 3, 4])
            return [facts if len(value) == 6 else value for value in values]

    mistaken = Mistaken()
    assert through_memory(mistaken, 100, 1.0) is mistaken
    os.close(file)


def test_a_rank_that_nobody_holds_is_gone() -> None:
    file = os.memfd_create("test")
    os.posix_fallocate(file, 0, region_bytes(2, 10))
    region = Region(file, 2, 10)
    assert not region.held(1)
    holder = "import fcntl, os, sys; f = os.open(sys.argv[1], os.O_RDWR); fcntl.lockf(f, fcntl.LOCK_EX, 1, 1); print(1)"
    command = [
        sys.executable,
        "-c",
        f"{holder}; sys.stdout.flush(); sys.stdin.read()",
        f"/proc/{os.getpid()}/fd/{file}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        assert region.held(1)
        process.kill()
    assert not region.held(1)
