"""The rows that an engine decodes in, and the queue of inputs that wait for a free one.

An LSTM's state does not grow, so a new record takes the place of a finished one by a copy of two vectors a layer, and
of its attention memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from lstmlm.decoding.backend import Backend, Ints, Rows, pad, start
from lstmlm.decoding.search.request import SearchRequest

ENCODED_TOKENS = 8192
"""Input tokens, padded, that are encoded at once: bounds what waits for slots."""

SOURCE_MULTIPLE = 8
"""The slots' memory has room for a multiple of that many source tokens."""


@dataclasses.dataclass(slots=True)
class Waiting:
    """Encoded inputs that have no slot yet.

    Attributes:
        rows: Their states and memory.
        first: The token that each one's decoding starts from.
        owners: Index of the request of each.
        taken: How many of them have got a slot.
    """

    rows: Rows
    first: Ints
    owners: Ints
    taken: int = 0


class Feed:
    """Encodes requests ahead of the slots, longest input first.

    So inputs of one length are encoded together with next to no padding, and what is decoded at the very end, when
    there is nothing to refill slots with, is short.

    Args:
        backend: Encodes.
        requests: All of them.
        most: Inputs encoded at once.
    """

    def __init__(self, backend: Backend, requests: Sequence[SearchRequest], most: int) -> None:
        self._backend, self._most, self._requests = backend, most, requests
        starts = [start(backend.closes_source, request.ids) for request in requests]
        self._read = [read for read, _ in starts]
        self._first = np.array([first for _, first in starts], np.int64)
        # Ties in the order of the requests: the order of decoding is a function of only the requests.
        self._order = sorted(range(len(requests)), key=lambda n: -len(self._read[n]))
        self._chunks = self._encoded()
        self._waiting: Waiting | None = None
        self._taken = 0

    @property
    def longest(self) -> int:
        """Tokens of the longest input."""
        return len(self._read[self._order[0]]) if self._order else 0

    @property
    def waiting(self) -> int:
        """Requests that have no slot yet."""
        return len(self._order) - self._taken

    def request(self, owner: int) -> SearchRequest:
        """Returns a request."""
        return self._requests[owner]

    def take(self, most: int) -> tuple[Waiting, Ints] | None:
        """Returns encoded inputs and which of them get a slot now, at most `most`; None where there are no more."""
        if self._waiting is None or self._waiting.taken == len(self._waiting.owners):
            self._waiting = next(self._chunks, None)
            if self._waiting is None:
                return None
        begin = self._waiting.taken
        end = min(begin + most, len(self._waiting.owners))
        self._waiting.taken = end
        self._taken += end - begin
        return self._waiting, np.arange(begin, end)

    def _encoded(self) -> Iterator[Waiting]:
        done = 0
        while done < len(self._order):
            time = max(1, len(self._read[self._order[done]]))
            owners = self._order[done : done + max(1, min(self._most, ENCODED_TOKENS // time))]
            done += len(owners)
            ids, lengths = pad([self._read[n] for n in owners], time)
            yield Waiting(self._backend.encode(ids, lengths), self._first[owners], np.array(owners))


class Slots:
    """A fixed number of slots, each of `width` rows.

    Args:
        backend: Owns the arrays.
        count: Number of slots.
        width: Rows of a slot: the hypotheses of a record.
    """

    def __init__(self, backend: Backend, count: int, width: int) -> None:
        self._backend, self.width = backend, width
        self.rows: Rows | None = None
        self.tokens = np.zeros(count * width, np.int64)
        self.owners = np.full(count, -1)

    def rows_of(self, slots: Ints) -> Ints:
        """Returns the rows of slots, int64 [slots * width]."""
        return (slots[:, None] * self.width + np.arange(self.width)).reshape(-1)

    def place(self, slots: Ints, waiting: Waiting, chosen: Ints) -> None:
        """Puts encoded inputs into slots; all rows of a slot start from the same state."""
        backend, rows = self._backend, self._room(waiting.rows)
        targets = self.rows_of(slots)
        sources = np.repeat(chosen, self.width)
        for n, array in enumerate(waiting.rows.state):
            rows.state[n] = backend.put(rows.state[n], targets, backend.take(array, sources))
        for n, array in enumerate(waiting.rows.memory):
            rows.memory[n] = backend.put(rows.memory[n], slots, backend.take(array, chosen))
        rows.lengths[slots] = waiting.rows.lengths[chosen]
        self.tokens[targets] = np.repeat(waiting.first[chosen], self.width)
        self.owners[slots] = waiting.owners[chosen]

    def reorder(self, parents: Ints) -> None:
        """Continues every row from the state of another: parents int64 [rows]."""
        assert self.rows is not None
        self.rows.state = [self._backend.take(array, parents) for array in self.rows.state]

    def keep(self, slots: Ints) -> None:
        """Leaves out all slots but these, which may name one several times."""
        assert self.rows is not None
        rows = self.rows_of(slots)
        self.reorder(rows)
        self.rows.memory = [self._backend.take(array, slots) for array in self.rows.memory]
        self.rows.lengths = self.rows.lengths[slots]
        self.tokens, self.owners = self.tokens[rows], self.owners[slots]

    def _room(self, encoded: Rows) -> Rows:
        """Makes the slots' memory as long as the longest source that is in them, or will be."""
        backend, count = self._backend, len(self.owners)
        if self.rows is None:
            # Any row will do to begin with: empty slots are computed too, and nobody looks at them.
            some = np.zeros(count, np.int64)
            state = [backend.take(array, np.repeat(some, self.width)) for array in encoded.state]
            memory = [backend.take(array, some) for array in encoded.memory]
            self.rows = Rows(state, memory, encoded.lengths[some].copy(), encoded.covers)
        live = self.rows.lengths[self.owners >= 0]
        longest = int(max(live.max(initial=1), encoded.lengths.max(initial=1)))
        needed = -(-longest // SOURCE_MULTIPLE) * SOURCE_MULTIPLE
        for n, axis in enumerate(backend.source_axes):
            if self.rows.memory[n].shape[axis] != needed:
                self.rows.memory[n] = backend.resize(self.rows.memory[n], axis, needed)
        for n in range(len(self.rows.state) - self.rows.covers, len(self.rows.state)):
            if self.rows.state[n].shape[1] != needed:
                self.rows.state[n] = backend.resize(self.rows.state[n], 1, needed)
        if backend.source_axes:
            self.rows.lengths = np.minimum(self.rows.lengths, needed)
        return self.rows
