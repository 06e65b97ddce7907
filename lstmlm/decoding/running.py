"""A running batch: every request takes the next free slot, and leaves it when it is finished."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lstmlm.decoding.backend import Backend, Ints
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.search.beam_search import BeamSearch
from lstmlm.decoding.search.request import Hypothesis, SearchOptions, SearchRequest
from lstmlm.decoding.search.row_search import RowSearch
from lstmlm.decoding.slots import Slots, Waiting

LEAST_SLOTS = 8


class Search(Protocol):
    """Decodes the requests in the slots, one token at a time."""

    def begin(self, slots: Ints, requests: Sequence[SearchRequest]) -> None:
        """Starts anew in the given slots."""

    def advance(self, slots: Slots) -> Ints:
        """Decodes a token in every slot; returns the slots that are finished, int64 [any]."""

    def result(self, slot: int) -> list[Hypothesis]:
        """Returns what was decoded in a finished slot."""

    def keep(self, slots: Ints) -> None:
        """Leaves out all slots but these, which may name one several times."""


class Source(Protocol):
    """Gives a batch its requests, each known by a number, its owner."""

    @property
    def waiting(self) -> int:
        """Requests that have no slot yet."""

    def request(self, owner: int) -> SearchRequest:
        """Returns a request."""

    def take(self, most: int) -> tuple[Waiting, Ints] | None:
        """Returns encoded inputs and which of them get a slot now, at most `most`; None where none waits."""


class RunningBatch:
    """The slots of a batch and the search in them.

    It has as many slots as requests keep busy, from `LEAST_SLOTS` to `most`: free slots cost as much as others.

    Args:
        backend: The model.
        options: How to search.
        source: Gives the requests.
        most: Slots at most, each of `options.width` rows.
    """

    def __init__(self, backend: Backend, options: SearchOptions, source: Source, most: int) -> None:
        self._source, self._most = source, most
        self._slots = Slots(backend, most, options.width)
        kind = BeamSearch if options.method == "beam" else RowSearch
        self._search: Search = kind(backend, options, most)
        self._free: Ints = np.arange(most)
        self._begun = np.zeros(most)

    @property
    def busy(self) -> int:
        """Slots that hold a request."""
        return len(self._slots.owners) - len(self._free)

    def fill(self) -> bool:
        """Gives free slots to waiting requests; returns whether any slot is busy."""
        self._grow()
        while len(self._free):
            found = self._source.take(len(self._free))
            if found is None:
                break
            waiting, chosen = found
            taken, self._free = self._free[: len(chosen)], self._free[len(chosen) :]
            self._slots.place(taken, waiting, chosen)
            self._search.begin(taken, [self._source.request(owner) for owner in waiting.owners[chosen].tolist()])
            self._begun[taken] = time.perf_counter()
        return self.busy > 0

    def advance(self, meter: Meter) -> list[tuple[int, list[Hypothesis]]]:
        """Decodes a token in every busy slot; returns the owners that are finished, each with its best hypotheses."""
        self._shrink()
        slots = self._slots
        meter.step(len(slots.owners) * slots.width, self.busy * slots.width)
        finished = self._search.advance(slots)
        finished = finished[slots.owners[finished] >= 0]
        found = [(int(slots.owners[slot]), self._search.result(slot)) for slot in finished.tolist()]
        for seconds in (time.perf_counter() - self._begun[finished]).tolist():
            meter.finished(seconds)
        slots.owners[finished] = -1
        self._free = np.concatenate([self._free, finished])
        return found

    def _grow(self) -> None:
        """Adds slots where more requests wait than slots are free."""
        count = len(self._slots.owners)
        wanted = min(self._most, self.busy + self._source.waiting)
        if wanted <= count:
            return
        more = min(self._most, max(wanted, 2 * count)) - count
        # Copies of the first, which count as free: any content will do.
        self._keep(np.concatenate([np.arange(count), np.zeros(more, np.int64)]))
        self._slots.owners[count:] = -1
        self._free = np.concatenate([self._free, np.arange(count, count + more)])

    def _shrink(self) -> None:
        """Leaves out free slots where half of them are free."""
        count = len(self._slots.owners)
        if count <= LEAST_SLOTS or 2 * len(self._free) < count:
            return
        busy = np.flatnonzero(self._slots.owners >= 0)
        # Not fewer than some: a single row takes another path through the matrix products, which may round otherwise.
        self._keep(np.concatenate([busy, self._free[: max(0, LEAST_SLOTS - len(busy))]]))
        self._free = np.flatnonzero(self._slots.owners < 0)

    def _keep(self, slots: Ints) -> None:
        self._slots.keep(slots)
        self._search.keep(slots)
        self._begun = self._begun[slots]
