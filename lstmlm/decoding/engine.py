"""Continuous batching: decodes requests in a fixed number of slots and refills a slot when its request is finished.

So no row waits for the longest of its batch, and the batch stays full to the end of the input.
"""

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
from lstmlm.decoding.slots import Feed, Slots

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
        """Leaves out all slots but these."""


class Engine:
    """Decodes requests; the outputs do not depend on which requests come together.

    Args:
        backend: The model.
        options: How to search.
        rows: Rows decoded together; a request takes `options.width` of them.
    """

    def __init__(self, backend: Backend, options: SearchOptions, rows: int = 64) -> None:
        self._backend, self._options, self._rows = backend, options, rows
        self._slots = max(1, rows // options.width)

    def decode(self, requests: Sequence[SearchRequest], meter: Meter | None = None) -> list[list[Hypothesis]]:
        """Decodes.

        Args:
            requests: Any number of them.
            meter: Counts what is done.

        Returns:
            For each request its best hypotheses, best first: `options.n_best` of them where the search found so many.
        """
        feed = Feed(self._backend, requests, self._rows)
        slots = Slots(self._backend, self._slots, self._options.width)
        search = self._search(self._slots)
        results: list[list[Hypothesis]] = [[] for _ in requests]
        meter = meter or Meter()
        begun = np.zeros(len(requests))
        free = np.arange(self._slots)
        while True:
            before, now = free, time.perf_counter()
            free = self._fill(free, feed, slots, search, requests)
            begun[slots.owners[before[: len(before) - len(free)]]] = now  # slots are taken from the front
            if len(free) == len(slots.owners):
                return results
            free = self._shrink(free, slots, search)
            count = len(slots.owners)
            meter.step(count * slots.width, (count - len(free)) * slots.width)
            finished = search.advance(slots)
            finished = finished[slots.owners[finished] >= 0]
            now = time.perf_counter()
            for slot in finished.tolist():
                owner = slots.owners[slot]
                results[owner] = search.result(slot)
                meter.finished(now - begun[owner])
            slots.owners[finished] = -1
            free = np.concatenate([free, finished])

    def _search(self, slots: int) -> Search:
        if self._options.method == "beam":
            return BeamSearch(self._backend, self._options, slots)
        return RowSearch(self._backend, self._options, slots)

    @staticmethod
    def _fill(free: Ints, feed: Feed, slots: Slots, search: Search, requests: Sequence[SearchRequest]) -> Ints:
        """Gives free slots to waiting requests; returns the slots that are still free."""
        while len(free):
            found = feed.take(len(free))
            if found is None:
                break
            waiting, chosen = found
            taken, free = free[: len(chosen)], free[len(chosen) :]
            slots.place(taken, waiting, chosen)
            search.begin(taken, [requests[n] for n in waiting.owners[chosen]])
        return free

    @staticmethod
    def _shrink(free: Ints, slots: Slots, search: Search) -> Ints:
        """Leaves out free slots at the end of the input, when half of them are free; returns those that are left."""
        count = len(slots.owners)
        if count <= LEAST_SLOTS or 2 * len(free) < count:
            return free
        busy = np.flatnonzero(slots.owners >= 0)
        # Not fewer than some: a single row takes another path through the matrix products, which may round otherwise.
        kept = np.concatenate([busy, free[: max(0, LEAST_SLOTS - len(busy))]])
        slots.keep(kept)
        search.keep(kept)
        return np.flatnonzero(slots.owners < 0)
