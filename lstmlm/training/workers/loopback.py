"""All-reduce by sockets of 127.0.0.1, for workers on one machine.

TensorFlow's collectives start a server that listens on every address, takes what anybody sends, and cannot be given an
address. Workers of one machine need no network: they sum through shared memory, and this group is what finds it, and
what sums where there is none.
"""

from __future__ import annotations

import contextlib
import hmac
import math
import secrets
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.training.workers.all_reduce import LostPeer

SECRET_BYTES = 32
_GREETING = struct.Struct(f"!{SECRET_BYTES}sI")
_GREETING_SECONDS = 5.0
"""Seconds in which whoever connects must say who it is."""

Array = npt.NDArray[np.float32]
Broadcast = Callable[[Any], Any]


class Loopback:
    """A group of workers on one machine; see `AllReduce`. The first worker sums, in the order of the ranks.

    A peer that ends fails the next sum at once, one that is silent or never comes after the timeout.

    Args:
        rank: This worker's number.
        world: Number of workers.
        timeout: Seconds after which a silent peer fails the step.
        broadcast: Returns on every worker what the first one gives it; all of them call it.

    Raises:
        LostPeer: A peer does not come in time.
    """

    def __init__(self, rank: int, world: int, *, timeout: float, broadcast: Broadcast) -> None:
        self.rank, self.world, self._timeout = rank, world, timeout
        if rank == 0:
            self._peers = self._gathered(broadcast)
        else:
            self._peers = {0: self._joined(*broadcast(None))}
        self.sum([tf.zeros([1])])  # nobody builds a model for peers that are not there

    def sum(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """See `AllReduce.sum`."""
        if not values:
            return []
        if tf.executing_eagerly():
            return [tf.constant(part) for part in self._exchange(*(value.numpy() for value in values))]
        summed = tf.numpy_function(self._exchange, list(values), [tf.float32] * len(values))
        return [tf.ensure_shape(part, value.shape) for part, value in zip(summed, values, strict=True)]

    def _gathered(self, broadcast: Broadcast) -> dict[int, socket.socket]:
        """Returns a connection for each of the other workers, which are given the port and a secret."""
        secret, peers = secrets.token_bytes(SECRET_BYTES), dict[int, socket.socket]()
        with socket.create_server(("127.0.0.1", 0), backlog=self.world) as server:
            server.settimeout(self._timeout)
            broadcast((server.getsockname()[1], secret))
            while len(peers) < self.world - 1:
                try:
                    peer, _ = server.accept()
                except TimeoutError as error:
                    raise LostPeer(f"a worker of {self.world} did not come within {self._timeout:g} s") from error
                rank = self._rank_of(peer, secret)
                if rank is None:
                    peer.close()
                else:
                    peers[rank] = self._settled(peer)
        return dict(sorted(peers.items()))

    def _rank_of(self, peer: socket.socket, secret: bytes) -> int | None:
        """Returns the rank of whoever connected; None: it does not know the secret."""
        peer.settimeout(min(_GREETING_SECONDS, self._timeout))
        try:
            given, rank = _GREETING.unpack(_received(peer, _GREETING.size))
        except OSError:
            return None
        return rank if hmac.compare_digest(given, secret) and 0 < rank < self.world else None

    def _joined(self, port: int, secret: bytes) -> socket.socket:
        """Connects to the first worker."""
        with self._loss_of(0):
            first = self._settled(socket.create_connection(("127.0.0.1", port), timeout=self._timeout))
            first.sendall(_GREETING.pack(secret, self.rank))
        return first

    def _settled(self, peer: socket.socket) -> socket.socket:
        peer.settimeout(self._timeout)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    @contextlib.contextmanager
    def _loss_of(self, rank: int) -> Iterator[None]:
        """Names the worker whose connection fails in the block."""
        try:
            yield
        except TimeoutError as error:
            raise LostPeer(f"worker {rank} of {self.world} was silent for {self._timeout:g} s") from error
        except OSError as error:
            raise LostPeer(f"worker {rank} of {self.world} has ended") from error

    def _exchange(self, *values: Array) -> list[Array]:
        own = np.concatenate([value.ravel() for value in values])
        summed = self._sum_of_all(own) if self.rank == 0 else self._sum_from_first(own)
        ends = np.cumsum([math.prod(value.shape) for value in values])
        return [part.reshape(value.shape) for part, value in zip(np.split(summed, ends[:-1]), values, strict=True)]

    def _sum_of_all(self, total: Array) -> Array:
        for rank, peer in self._peers.items():
            with self._loss_of(rank):
                total += np.frombuffer(_received(peer, total.nbytes), np.float32)
        for rank, peer in self._peers.items():
            with self._loss_of(rank):
                peer.sendall(total.data)
        return total

    def _sum_from_first(self, own: Array) -> Array:
        with self._loss_of(0):
            self._peers[0].sendall(own.data)
            return np.frombuffer(_received(self._peers[0], own.nbytes), np.float32)


def _received(peer: socket.socket, size: int) -> bytearray:
    """Returns so many bytes of a connection.

    Raises:
        OSError: It ended before.
    """
    found = bytearray(size)
    left = memoryview(found)
    while left:
        read = peer.recv_into(left)
        if read == 0:
            raise ConnectionResetError("the connection has ended")
        left = left[read:]
    return found
