"""Workers of one machine sum by sockets of 127.0.0.1, which take nobody else."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import pytest
import tensorflow as tf

from lstmlm.training.workers.all_reduce import LostPeer
from lstmlm.training.workers.loopback import Loopback
from lstmlm.training.workers.shared_memory import through_memory


def group(pool: ThreadPoolExecutor, world: int, timeout: float = 20.0) -> list[Future[Loopback]]:
    """Starts a group of threads."""
    given_out: queue.Queue[Any] = queue.Queue()

    def broadcast(given: Any) -> Any:
        for _ in range(world - 1 if given else 0):
            given_out.put(given)
        return given or given_out.get(timeout=timeout)

    return [pool.submit(Loopback, rank, world, timeout=timeout, broadcast=broadcast) for rank in range(world)]


def everywhere(pool: ThreadPoolExecutor, workers: list[Loopback], call: Callable[[Loopback], Any]) -> list[Any]:
    return list(pool.map(call, workers))


@pytest.mark.parametrize("world", [2, 3, 5])
def test_every_worker_gets_the_sum_in_the_order_of_the_ranks(world: int) -> None:
    draw = np.random.default_rng(world)
    shapes = [(3, 4), (), (1000,), (2, 0)]
    values = [[draw.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(world)]
    wanted = [values[0][n].copy() for n in range(len(shapes))]
    for more in values[1:]:
        wanted = [total + value for total, value in zip(wanted, more, strict=True)]

    with ThreadPoolExecutor(world) as pool:
        workers = [one.result() for one in group(pool, world)]
        for _ in range(2):
            found = everywhere(
                pool, workers, lambda worker: worker.sum([tf.constant(value) for value in values[worker.rank]])
            )
            for parts in found:
                assert all(np.array_equal(part, total) for part, total in zip(parts, wanted, strict=True))
    assert all(worker.sum([]) == [] for worker in workers)


def test_it_leads_to_memory_that_all_share() -> None:
    with ThreadPoolExecutor(2) as pool:
        workers = [one.result() for one in group(pool, 2)]
        shared = everywhere(pool, workers, lambda worker: through_memory(worker, 64, 20.0))
        found = everywhere(pool, shared, lambda one: one.sum([tf.fill([1000], 1.0 + one.rank)])[0])
        assert all(part.numpy().tolist() == [3.0] * 1000 for part in found)  # too much for the memory
        assert {type(one).__name__ for one in shared} == {"SharedMemory"}


def test_a_peer_that_ends_fails_the_sum() -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = (one.result() for one in group(pool, 2))
        second._peers[0].close()
        with pytest.raises(LostPeer, match="worker 1 of 2 has ended"):
            first.sum([tf.zeros([3])])


def test_a_peer_that_is_silent_fails_the_sum_after_the_timeout() -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = (one.result() for one in group(pool, 2, timeout=1.0))
        with pytest.raises(LostPeer, match=r"worker 0 of 2 was silent for 1 s"):
            second.sum([tf.zeros([3])])
        assert first.world == 2
        with pytest.raises(tf.errors.OpError, match=r"LostPeer: worker 0 of 2 was silent"):
            tf.function(second.sum)([tf.zeros([3])])


def test_a_peer_that_never_comes_is_waited_for_no_longer_than_the_timeout() -> None:
    with pytest.raises(LostPeer, match=r"a worker of 2 did not come within 0.5 s"):
        Loopback(0, 2, timeout=0.5, broadcast=lambda given: given)


def test_a_stranger_is_not_taken_and_nobody_is_listened_to_afterwards() -> None:
    given_out: queue.Queue[Any] = queue.Queue()

    def stranger_first(given: Any) -> Any:
        port, _ = given
        (listening,) = [one for one in own_sockets() if one.laddr.port == port]
        assert listening.laddr.ip == "127.0.0.1"
        stranger = socket.create_connection(("127.0.0.1", port))
        stranger.sendall(b"x" * 36)
        given_out.put(given)
        return given

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Loopback, 0, 2, timeout=20.0, broadcast=stranger_first)
        second = pool.submit(Loopback, 1, 2, timeout=20.0, broadcast=lambda _: given_out.get(timeout=20.0))
        sums = [pool.submit(one.result().sum, [tf.ones([2])]) for one in (first, second)]
        assert [found.result()[0].numpy().tolist() for found in sums] == [[2.0, 2.0]] * 2
        port = first.result()._peers[1].getsockname()[1]
    assert [one for one in own_sockets() if one.laddr.port == port] == []


def own_sockets() -> list[Any]:
    """Returns the sockets that this process listens on."""
    return [one for one in psutil.Process().net_connections("tcp") if one.status == psutil.CONN_LISTEN]
