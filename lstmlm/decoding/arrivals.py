"""Requests that come at any time, for a batch that is running already."""

from __future__ import annotations

from collections import deque

import numpy as np

from lstmlm.decoding.backend import Backend, Ints, pad, start
from lstmlm.decoding.search.request import SearchRequest
from lstmlm.decoding.slots import ENCODED_TOKENS, Waiting


class Arrivals:
    """Encodes requests in the order in which they came, as many together as wait.

    Args:
        backend: Encodes.
        most: Inputs encoded at once.
    """

    def __init__(self, backend: Backend, most: int) -> None:
        self._backend, self._most = backend, most
        self._requests: dict[int, SearchRequest] = {}
        self._queue: deque[tuple[int, list[int], int]] = deque()
        self._encoded: Waiting | None = None
        self._slotless = 0
        self._held = False

    @property
    def waiting(self) -> int:
        """See `Source`."""
        return self._slotless

    def add(self, owner: int, request: SearchRequest) -> None:
        """Lets a request wait for a slot.

        Args:
            owner: A number that no other request has at the same time.
            request: The request.
        """
        read, first = start(self._backend.closes_source, request.ids)
        self._requests[owner] = request
        self._queue.append((owner, read, first))
        self._slotless += 1

    def request(self, owner: int) -> SearchRequest:
        """See `Source`; the request is not kept after that."""
        return self._requests.pop(owner)

    def take(self, most: int) -> tuple[Waiting, Ints] | None:
        """See `Source`; what comes waits for the second call, so that others can join it."""
        if self._encoded is None or self._encoded.taken == len(self._encoded.owners):
            if self._queue and not self._held:
                # Those that come within a step are encoded with these: most of the cost is that of the longest.
                self._held = True
                return None
            self._held = False
            self._encoded = self._next()
            if self._encoded is None:
                return None
        begin = self._encoded.taken
        end = min(begin + most, len(self._encoded.owners))
        self._encoded.taken = end
        self._slotless -= end - begin
        return self._encoded, np.arange(begin, end)

    def _next(self) -> Waiting | None:
        """Encodes the next requests; None where none waits."""
        taken: list[tuple[int, list[int], int]] = []
        longest = 1
        while self._queue and len(taken) < self._most:
            longer = max(longest, len(self._queue[0][1]))
            if taken and longer * (len(taken) + 1) > ENCODED_TOKENS:
                break
            longest = longer
            taken.append(self._queue.popleft())
        if not taken:
            return None
        ids, lengths = pad([read for _, read, _ in taken], longest)
        rows = self._backend.encode(ids, lengths)
        return Waiting(rows, np.array([first for *_, first in taken], np.int64), np.array([one[0] for one in taken]))
