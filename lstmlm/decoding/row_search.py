"""Greedy search and sampling: one row a request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmlm.decoding.backend import Backend, Ints
from lstmlm.decoding.constraints import ban
from lstmlm.decoding.hypothesis import Hypothesis, Request, SearchOptions
from lstmlm.decoding.sampling import draw
from lstmlm.decoding.slots import Slots
from lstmlm.tokenizer import Tokenizer


class RowSearch:
    """Takes the most likely token, or draws one.

    Args:
        backend: The model.
        options: How to search.
        slots: Number of slots.
    """

    def __init__(self, backend: Backend, options: SearchOptions, slots: int) -> None:
        self._backend, self._options = backend, options
        self._texts = np.zeros([slots, options.max_tokens], np.int64)
        self._place = np.zeros(slots, np.int64)
        self._limits = np.zeros(slots, np.int64)
        self._seeds = np.zeros(slots, np.int64)

    def begin(self, slots: Ints, requests: Sequence[Request]) -> None:
        """See `Search`."""
        most = self._options.max_tokens
        self._place[slots] = 0
        self._limits[slots] = [most if request.limit is None else min(request.limit, most) for request in requests]
        self._seeds[slots] = [request.seed for request in requests]

    def advance(self, slots: Slots) -> Ints:
        """See `Search`."""
        assert slots.rows is not None
        tokens = self._choose(slots)
        slots.tokens = tokens
        ended = tokens == Tokenizer.END
        rows = np.flatnonzero(~ended & (self._place < self._limits))
        self._texts[rows, self._place[rows]] = tokens[rows]
        self._place[rows] += 1
        return np.flatnonzero(ended | (self._place >= self._limits))

    def result(self, slot: int) -> list[Hypothesis]:
        """See `Search`."""
        return [Hypothesis(tuple(self._texts[slot, : self._place[slot]].tolist()))]

    def keep(self, slots: Ints) -> None:
        """See `Search`."""
        self._texts, self._place = self._texts[slots], self._place[slots]
        self._limits, self._seeds = self._limits[slots], self._seeds[slots]

    def _choose(self, slots: Slots) -> Ints:
        options = self._options
        assert slots.rows is not None
        if options.method == "greedy" and not options.constraints:
            return self._backend.most_likely(slots.rows, slots.tokens)
        logits, _ = self._backend.logits(slots.rows, slots.tokens)
        if options.constraints:
            texts = [text[:place] for text, place in zip(self._texts.tolist(), self._place.tolist(), strict=True)]
            ban(logits, texts, options.constraints)
        if options.method == "greedy":
            return logits.argmax(axis=1)
        return draw(
            logits,
            self._seeds,
            self._place,
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
        )
