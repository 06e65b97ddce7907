"""Greedy search and sampling: one row a request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmlm.decoding.alignment import most_attended
from lstmlm.decoding.backend import Backend, Floats, Ints
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
        self._alignment = np.zeros([slots, options.max_tokens if options.align else 0], np.int64)
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
        tokens, attention = self._choose(slots)
        slots.tokens = tokens
        ended = tokens == Tokenizer.END
        rows = np.flatnonzero(~ended & (self._place < self._limits))
        self._texts[rows, self._place[rows]] = tokens[rows]
        if self._options.align:
            self._alignment[rows, self._place[rows]] = most_attended(attention, slots.rows.lengths)[rows]
        self._place[rows] += 1
        return np.flatnonzero(ended | (self._place >= self._limits))

    def result(self, slot: int) -> list[Hypothesis]:
        """See `Search`."""
        place = self._place[slot]
        tokens, alignment = self._texts[slot, :place].tolist(), self._alignment[slot, :place].tolist()
        return [Hypothesis(tuple(tokens), alignment=tuple(alignment))]

    def keep(self, slots: Ints) -> None:
        """See `Search`."""
        self._texts, self._alignment, self._place = self._texts[slots], self._alignment[slots], self._place[slots]
        self._limits, self._seeds = self._limits[slots], self._seeds[slots]

    def _choose(self, slots: Slots) -> tuple[Ints, Floats | None]:
        """Takes a step of the model; returns the next token of each row and, if it is needed, the attention."""
        options = self._options
        assert slots.rows is not None
        if options.method == "greedy" and not options.constraints:
            if not options.align:
                return self._backend.most_likely(slots.rows, slots.tokens), None
            _, tokens, attention = self._backend.best(slots.rows, slots.tokens, 1)
            return tokens[:, 0], attention
        logits, attention = self._backend.logits(slots.rows, slots.tokens)
        if options.constraints:
            texts = [text[:place] for text, place in zip(self._texts.tolist(), self._place.tolist(), strict=True)]
            ban(logits, texts, options.constraints)
        if options.method == "greedy":
            return logits.argmax(axis=1), attention
        drawn = draw(
            logits,
            self._seeds,
            self._place,
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
        )
        return drawn, attention
