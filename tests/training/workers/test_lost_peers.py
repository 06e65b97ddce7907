"""A worker whose peer dies, is stopped or never comes ends too, without Ray to look after it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow]

PROGRAM = """
import sys
import tensorflow as tf
from lstmlm.training.workers.all_reduce import Ring
ring = Ring(int(sys.argv[1]), 2, timeout=float(sys.argv[2]), gpu=False)
add = tf.function(lambda value: ring.sum([value])[0])
while True:
    print(float(add(tf.constant(1.0))), flush=True)
"""
PATIENCE = 200
"""Seconds in which a process that waits for nobody is sure to have ended."""


def addresses() -> list[str]:
    """Addresses for two workers on ports that are free."""
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{probe.getsockname()[1]}" for probe in (one, two)]


def start(rank: int, workers: list[str], timeout: float, root: Path) -> subprocess.Popen[str]:
    place = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(rank), str(timeout)],
        env={**os.environ, "TF_CONFIG": json.dumps(place), "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_peer_that_never_comes_is_waited_for_no_longer_than_the_timeout(root: Path) -> None:
    separate = [start(rank, addresses(), 3, root) for rank in (0, 1)]  # each in a group of its own
    try:
        for process in separate:
            _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 1
            assert "timed out waiting for other workers" in errors
    finally:
        for process in separate:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_a_peer_that_ends_ends_the_others(root: Path, number: signal.Signals) -> None:
    workers = addresses()
    pair = [start(rank, workers, 60, root) for rank in (0, 1)]
    try:
        for process in pair:
            assert process.stdout is not None
            assert process.stdout.readline() == "2.0\n"
        pair[1].send_signal(number)
        _, errors = pair[0].communicate(timeout=PATIENCE)
        assert pair[0].returncode == 1
        assert "Collective ops is aborted" in errors
        assert pair[1].wait(timeout=PATIENCE) == -number
    finally:
        for process in pair:
            process.kill()
