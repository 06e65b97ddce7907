"""All-reduce through shared memory, for workers on one machine.

A ring sends every number through the loopback network: some 3 ms of processor time per megabyte, which two workers on
two cores cannot hide. Here each worker writes its numbers once, sums its share of all, and uses the result in place.
"""

from __future__ import annotations

import fcntl
import itertools
import math
import mmap
import os
import secrets
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.training.workers.all_reduce import AllReduce, LostPeer

HEADER_BYTES = 4096
TOKEN_PARTS = 4
"""Numbers of 16 bits that identify a region. The ring takes float32, which holds them exactly."""
ALIGNED = 16
"""Numbers: 64 bytes. What TensorFlow is given elsewhere it copies."""
POLL_SECONDS = 1e-4
LOOK_SECONDS = 0.1
"""How often a worker that waits looks whether the others are still there."""

Array = npt.NDArray[np.float32]

NOWHERE: Array = np.zeros(2 + TOKEN_PARTS, np.float32)
"""What says that there is no region."""


class Region:
    """Memory that several processes have open; it is gone with the last of them, however they end.

    Attributes:
        written: What each worker wrote, float32 [world, floats].
        results: The sums of this turn and of the one before, in turns, float32 [2, floats].

    Args:
        file: A descriptor of it; stays open as long as the process, because closing any gives its locks up.
        world: Number of workers.
        floats: The most numbers a worker can write, each tensor filled up to `room`.
    """

    def __init__(self, file: int, world: int, floats: int) -> None:
        self._file = file
        whole = mmap.mmap(file, region_bytes(world, floats))
        self.token = np.frombuffer(whole, np.float32, TOKEN_PARTS)
        self.arrived = np.frombuffer(whole, np.int64, world, offset=self.token.nbytes)
        parts = np.frombuffer(whole, np.float32, (world + 2) * floats, offset=HEADER_BYTES).reshape(world + 2, floats)
        self.written, self.results = parts[:world], parts[world:]

    def hold(self, rank: int) -> None:
        """Says that this rank is there, until its process ends."""
        fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, rank)

    def held(self, rank: int) -> bool:
        """Says whether the process of another rank is there."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, rank)
        except (BlockingIOError, PermissionError):
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, rank)
        return False


def region_bytes(world: int, floats: int) -> int:
    """Returns the size of a region."""
    return HEADER_BYTES + 4 * (world + 2) * floats


def room(numbers: int) -> int:
    """Returns how many numbers of a region a tensor takes: the next one begins where TensorFlow wants it to."""
    return -(-numbers // ALIGNED) * ALIGNED


class SharedMemory:
    """A group of workers on one machine; see `AllReduce`. The sum is taken in the order of the ranks.

    A peer that ends fails the next sum at once, one that is silent after the timeout.

    Args:
        group: The same group without the memory, which sums what is larger than the region.
        region: The memory.
        timeout: Seconds after which a silent peer fails the step.
    """

    def __init__(self, group: AllReduce, region: Region, timeout: float) -> None:
        self.rank, self.world = group.rank, group.world
        self._group, self._region, self._timeout = group, region, timeout
        self._turn = 0

    def sum(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """See `AllReduce.sum`."""
        if not values or sum(room(math.prod(value.shape)) for value in values) > self._region.results.shape[1]:
            return self._group.sum(values)
        summed = tf.numpy_function(self._exchange, list(values), [tf.float32] * len(values))
        return [tf.ensure_shape(part, value.shape) for part, value in zip(summed, values, strict=True)]

    def _exchange(self, *values: Array) -> list[Array]:
        starts = [0, *itertools.accumulate(room(value.size) for value in values)]
        region, total = self._region, starts.pop()
        own, result = region.written[self.rank], region.results[self._turn // 2 % 2]
        for start, value in zip(starts, values, strict=True):
            own[start : start + value.size] = value.ravel()
        self._meet()
        share = slice(self.rank * total // self.world, (self.rank + 1) * total // self.world)
        np.add(region.written[0, share], region.written[1, share], out=result[share])
        for other in region.written[2:]:
            result[share] += other[share]
        self._meet()
        # In place: a faster peer writes its next result elsewhere, and TensorFlow works in place only on memory of its
        # own.
        return [
            result[start : start + value.size].reshape(value.shape) for start, value in zip(starts, values, strict=True)
        ]

    def _meet(self) -> None:
        """Waits until every worker is here as often as this one.

        Raises:
            LostPeer: One has ended, or does not come in time.
        """
        self._turn += 1
        os.sched_yield()  # the interpreter's lock changes hands, so what was written is seen before the count below
        self._region.arrived[self.rank] = self._turn
        started = looked = time.monotonic()
        while self._region.arrived.min() < self._turn:
            time.sleep(POLL_SECONDS)
            now = time.monotonic()
            if now - looked > LOOK_SECONDS:
                looked = now
                self._look(now - started)

    def _look(self, waited: float) -> None:
        late = [int(rank) for rank in np.flatnonzero(self._region.arrived < self._turn)]
        for rank in late:
            if not self._region.held(rank):
                raise LostPeer(f"worker {rank} of {self.world} has ended")
        if late and waited > self._timeout:
            raise LostPeer(f"worker {late[0]} of {self.world} was silent for {self._timeout:g} s")


def through_memory(group: AllReduce, floats: int, timeout: float) -> AllReduce:
    """Returns a group that sums through memory where all workers are on one machine, else the group itself.

    Every worker of the group must call it.

    Args:
        group: The group.
        floats: The most numbers it will sum at a time, each tensor filled up to `room`; more go over the network.
        timeout: Seconds after which a silent peer fails a step.
    """
    if group.world == 1 or not hasattr(os, "memfd_create"):
        return group
    region, facts = None, NOWHERE
    if group.rank == 0:
        region, facts = _made(group.world, floats)
    (known,) = group.sum([tf.constant(facts)])
    if group.rank != 0:
        region = _opened(known.numpy(), group.world, floats)
    if region is not None:
        region.hold(group.rank)
    (there,) = group.sum([tf.constant([float(region is not None)])])
    if region is None or int(there[0]) < group.world:
        return group
    return SharedMemory(group, region, timeout)


def _made(world: int, floats: int) -> tuple[Region | None, Array]:
    """Makes a region; returns it, and where others find it: process, descriptor, and the parts of its token."""
    try:
        file = os.memfd_create("lstmlm")
        os.posix_fallocate(file, 0, region_bytes(world, floats))
        region = Region(file, world, floats)
    except (OSError, ValueError):  # no memory for it
        return None, NOWHERE
    region.token[:] = np.frombuffer(secrets.token_bytes(2 * TOKEN_PARTS), np.uint16)
    return region, np.array([os.getpid(), file, *region.token], np.float32)


def _opened(facts: Array, world: int, floats: int) -> Region | None:
    """Opens the first worker's region; None: it is on another machine, or not for us."""
    process, file = map(int, facts[:2])
    try:
        region = Region(os.open(f"/proc/{process}/fd/{file}", os.O_RDWR), world, floats)
    except (OSError, ValueError):
        return None
    return region if np.array_equal(region.token, facts[2:]) else None
