"""Continuous batching: decodes requests in a fixed number of slots and refills a slot when its request is finished.

So no row waits for the longest of its batch, and the batch stays full to the end of the input.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from lstmlm.decoding.backend import Backend
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.running import RunningBatch, Source
from lstmlm.decoding.search.request import Hypothesis, SearchOptions, SearchRequest
from lstmlm.decoding.slots import Feed


class Engine:
    """Decodes requests; the outputs do not depend on which requests come together.

    Args:
        backend: The model.
        options: How to search.
        rows: Rows decoded together; a request takes `options.width` of them.
    """

    def __init__(self, backend: Backend, options: SearchOptions, rows: int = 64) -> None:
        self._backend, self._options, self._rows = backend, options, rows

    def decode(self, requests: Sequence[SearchRequest], meter: Meter | None = None) -> list[list[Hypothesis]]:
        """Decodes; requests with rules of their own in a batch of their own.

        Args:
            requests: Any number of them.
            meter: Counts what is done.

        Returns:
            For each request its best hypotheses, best first: `options.n_best` of them where the search found so many.
        """
        meter = meter or Meter()
        results: list[list[Hypothesis]] = [[] for _ in requests]
        for has_rules in (False, True):
            places = [n for n, request in enumerate(requests) if request.has_rules == has_rules]
            if not places:
                continue
            feed = Feed(self._backend, [requests[n] for n in places], self._rows)
            batch = self._batch(feed, dataclasses.replace(self._options, by_record=has_rules))
            while batch.fill():
                for owner, found in batch.advance(meter):
                    results[places[owner]] = found
        return results

    def running(self, source: Source, *, by_record: bool = False) -> RunningBatch:
        """Returns a batch of the requests of a source, none of which is decoded yet.

        Args:
            source: Gives the requests.
            by_record: They may have rules of their own; see `SearchOptions.by_record`.
        """
        return self._batch(source, dataclasses.replace(self._options, by_record=by_record))

    def _batch(self, source: Source, options: SearchOptions) -> RunningBatch:
        return RunningBatch(self._backend, options, source, max(1, self._rows // options.width))
