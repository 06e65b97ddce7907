"""Beam search in slots: the hypotheses of a record are the rows of its slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.alignment import most_attended
from lstmlm.decoding.backend import Backend, Ints
from lstmlm.decoding.constraints.constraints import ban, missing
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.constraints.forced import expand_forced
from lstmlm.decoding.search.hypotheses import (
    Expansion,
    best_of,
    coverage_penalty,
    ending,
    expand,
    going_on,
    length_penalty,
    log_softmax,
)
from lstmlm.decoding.search.request import Hypothesis, SearchOptions, SearchRequest
from lstmlm.decoding.slots import Slots


class BeamSearch:
    """See `lstmlm.decoding.search.hypotheses` for the rules.

    Args:
        backend: The model.
        options: How to search.
        slots: Number of slots.
    """

    def __init__(self, backend: Backend, options: SearchOptions, slots: int) -> None:
        self._backend, self._options, beam = backend, options, options.beam
        self._scores = np.full([slots, beam], -np.inf)
        self._texts = np.zeros([slots, beam, options.max_tokens], np.int64)
        self._alignment = np.zeros([slots, beam, options.max_tokens if options.align else 0], np.int64)
        self._states = np.zeros([slots, beam], np.int64)  # of the forbidden words
        self._place = np.zeros(slots, np.int64)
        self._limits = np.ones(slots, np.int64)
        self._coverage = np.zeros([slots, beam, 0], np.float32)
        self._sources = np.zeros(slots, np.int64)
        self._finished: list[list[Hypothesis]] = [[] for _ in range(slots)]

    def begin(self, slots: Ints, requests: Sequence[SearchRequest]) -> None:
        """See `Search`."""
        most = self._options.max_tokens
        self._scores[slots] = -np.inf
        self._scores[slots, 0] = 0.0  # all rows are the same text: one of them is enough
        self._place[slots] = 0
        self._states[slots] = Forbidden.START
        self._limits[slots] = [most if request.limit is None else min(request.limit, most) for request in requests]
        self._coverage[slots] = 0.0
        self._sources[slots] = [len(request.ids) for request in requests]
        for slot in slots.tolist():
            self._finished[slot] = []

    def advance(self, slots: Slots) -> Ints:
        """See `Search`."""
        beam, busy = self._options.beam, slots.owners >= 0
        found, attention = self._expanded(slots)
        self._cover(attention)
        assert slots.rows is not None
        attended = most_attended(attention, slots.rows.lengths) if self._options.align else None
        for slot, rank in np.argwhere(ending(found, beam) & busy[:, None]).tolist():
            self._finish(slot, int(found.parents[slot, rank]), float(found.scores[slot, rank]), ended=True)
        live = going_on(found, beam)
        slots.reorder((np.arange(len(busy))[:, None] * beam + live.parents).reshape(-1))
        slots.tokens = live.tokens.reshape(-1)
        self._extend(live, attended)
        enough = np.array([len(finished) >= beam for finished in self._finished])
        stopped = enough | (self._place >= self._limits) | ~np.isfinite(self._scores).any(axis=1)
        for slot in np.flatnonzero(stopped & ~enough & busy).tolist():
            self._cut(slot)
        return np.flatnonzero(stopped)

    def result(self, slot: int) -> list[Hypothesis]:
        """See `Search`."""
        ranked = sorted(self._finished[slot], key=lambda hypothesis: -hypothesis.score)
        return ranked[: self._options.n_best]

    def keep(self, slots: Ints) -> None:
        """See `Search`."""
        self._scores, self._texts, self._coverage = self._scores[slots], self._texts[slots], self._coverage[slots]
        self._alignment, self._states = self._alignment[slots], self._states[slots]
        self._place, self._limits, self._sources = self._place[slots], self._limits[slots], self._sources[slots]
        self._finished = [self._finished[slot] for slot in slots.tolist()]

    def _expanded(self, slots: Slots) -> tuple[Expansion, npt.NDArray[np.float32] | None]:
        """Takes a step of the model; returns the extensions and the attention."""
        options, shape = self._options, self._scores.shape
        count = min(options.beam + 1, self._backend.vocabulary)
        assert slots.rows is not None
        if not options.constraints:
            scores, tokens, attention = self._backend.best(slots.rows, slots.tokens, count)
            return expand(self._scores, scores.reshape(*shape, count), tokens.reshape(*shape, count)), attention
        logits, attention = self._backend.logits(slots.rows, slots.tokens)
        scores = log_softmax(logits)
        texts = self._written()
        room = self._limits - self._place
        last = np.repeat(room <= 1, options.beam).tolist()
        states = self._states.reshape(-1).tolist()
        ban(scores, [text for slot in texts for text in slot], options.constraints, states, last)
        if options.constraints.forced:
            rows = scores.reshape(*shape, -1)
            parts = [
                expand_forced(self._scores[n], rows[n], texts[n], options.constraints, int(room[n]))
                for n in range(shape[0])
            ]
            return Expansion(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))), attention
        scores, tokens = best_of(scores, count)
        return expand(self._scores, scores.reshape(*shape, count), tokens.reshape(*shape, count)), attention

    def _written(self) -> list[list[list[int]]]:
        """Returns the text of every hypothesis of every slot."""
        places = self._place.tolist()
        return [[text[:place] for text in slot] for slot, place in zip(self._texts.tolist(), places, strict=True)]

    def _cover(self, attention: npt.NDArray[np.float32] | None) -> None:
        """Adds up the attention of every hypothesis."""
        if attention is None or not self._options.coverage_penalty:
            return
        slots, beam, _ = self._coverage.shape
        source = attention.shape[1]  # may grow and shrink with the sources in the slots
        before, self._coverage = self._coverage, attention.reshape(slots, beam, source).copy()
        shared = min(before.shape[2], source)
        self._coverage[:, :, :shared] += before[:, :, :shared]

    def _finish(self, slot: int, row: int, score: float, *, ended: bool) -> None:
        """Ranks a text; one that has ended counts *end* as a token."""
        options, place = self._options, int(self._place[slot])
        place = options.constraints.keep(self._texts[slot, row, :place].tolist())
        tokens = tuple(self._texts[slot, row, :place].tolist())
        value = score / length_penalty(place + ended, options.length_penalty)
        if options.coverage_penalty and self._coverage.shape[2]:
            covered = self._coverage[slot, row, : self._sources[slot]]
            value += coverage_penalty(covered, options.coverage_penalty)
        alignment = tuple(self._alignment[slot, row, :place].tolist())
        self._finished[slot].append(Hypothesis(tokens, value, score, alignment))

    def _extend(self, live: Expansion, attended: Ints | None) -> None:
        """Replaces the hypotheses by those that continue, whose rows attended as given."""
        if (words := self._options.constraints.words) is not None:
            before = np.take_along_axis(self._states, live.parents, axis=1)
            for slot, rank in np.argwhere(np.isfinite(live.scores)).tolist():
                self._states[slot, rank] = words.step(int(before[slot, rank]), int(live.tokens[slot, rank]))
        self._texts = np.take_along_axis(self._texts, live.parents[:, :, None], axis=1)
        rows = np.flatnonzero(self._place < self._limits)
        self._texts[rows, :, self._place[rows]] = live.tokens[rows]
        if attended is not None:
            self._alignment = np.take_along_axis(self._alignment, live.parents[:, :, None], axis=1)
            aligned = np.take_along_axis(attended.reshape(live.parents.shape), live.parents, axis=1)
            self._alignment[rows, :, self._place[rows]] = aligned[rows]
        self._place[rows] += 1
        self._scores = live.scores
        if self._coverage.shape[2]:
            self._coverage = np.take_along_axis(self._coverage, live.parents[:, :, None], axis=1)

    def _cut(self, slot: int) -> None:
        """Finishes the hypotheses of a slot that has to stop, as they are.

        One that lacks a forced phrase is not: at a limit of fewer tokens than it takes there is no output.
        """
        rules, place = self._options.constraints, int(self._place[slot])
        rows = np.flatnonzero(np.isfinite(self._scores[slot])).tolist()
        whole = [row for row in rows if not missing(self._texts[slot, row, :place].tolist(), rules)[0]]
        for row in whole:
            self._finish(slot, row, float(self._scores[slot, row]), ended=False)
