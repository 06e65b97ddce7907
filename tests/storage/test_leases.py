"""Leases: one holder at a time, take-over after a crash, and a holder that was taken over finds out."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lstmlm.errors import TryAgain
from lstmlm.storage import StorePath, leases
from lstmlm.storage.leases import leased
from tests.stores import keys
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

HOLDER = """
import sys
from lstmlm.storage import StorePath
from lstmlm.storage.leases import leased
with leased(StorePath(sys.argv[1]), "out"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Sets the clock of the store, as leases see it, forward by an hour when it is called."""
    plain = leases.now
    return lambda: monkeypatch.setattr(leases, "now", lambda folder: plain(folder) + 3600)


def test_it_is_held_once_and_leaves_nothing(bucket: StorePath, s3: Any) -> None:
    with leased(bucket / "lock", "out"):
        refused = pytest.raises(TryAgain, match=r"another process is at work here \(process \d+ on ")
        with refused as caught, leased(bucket / "lock", "out"):
            pass
        assert caught.value.where == "out"
        with leased(bucket / "other", "out"):
            pass
    with leased(bucket / "lock", "out") as lease:
        lease.check()
    assert keys(s3, bucket) == []


def test_of_many_at_once_one_holds_it(bucket: StorePath) -> None:
    held, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal held, most
        with leased(bucket / "lock", "out", wait=120):
            with lock:
                held += 1
                most = max(most, held)
            with lock:
                held -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (held, most) == (0, 1)


def test_that_of_a_dead_process_is_taken_over(bucket: StorePath, s3: Any, later: Callable[[], None]) -> None:
    command = [sys.executable, "-c", HOLDER, str(bucket / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
    with pytest.raises(TryAgain, match=f"process {process.pid} on "), leased(bucket / "lock", "out"):
        pass
    later()
    with leased(bucket / "lock", "out") as lease:
        lease.check()
    assert keys(s3, bucket) == []


def test_its_holder_writes_it_again_and_again(bucket: StorePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEATS", 0.1)
    with leased(bucket / "lock", "out") as lease:
        written = set[bytes]()
        wait_until(lambda: written.add(lease.path.read_bytes()) or len(written) > 2, "the lease is written again")
        lease.check()


def test_a_holder_that_was_taken_over_finds_out(bucket: StorePath, later: Callable[[], None]) -> None:
    with leased(bucket / "lock", "out") as first:  # it does not write meanwhile, as a process that is stopped
        first.check()
        later()
        with leased(bucket / "lock", "out") as second:
            with pytest.raises(TryAgain, match="another process took over"):
                first.check()
            second.check()
            first.release()
            second.check()
