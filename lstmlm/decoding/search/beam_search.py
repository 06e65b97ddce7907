"""Beam search in slots: the hypotheses of a record are the rows of its slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.alignment import most_attended
from lstmlm.decoding.backend import Backend, Ints
from lstmlm.decoding.constraints.constraints import Constraints, ban, missing
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
        self._rules: list[Constraints] = [options.constraints] * slots
        self._prefixes: list[tuple[int, ...]] = [()] * slots
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
        for slot, request in zip(slots.tolist(), requests, strict=True):
            self._finished[slot] = []
            self._prefixes[slot] = request.prefix
            self._rules[slot] = self._options.rules_of(request)

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
        self._prefixes = [self._prefixes[slot] for slot in slots.tolist()]
        self._rules = [self._rules[slot] for slot in slots.tolist()]

    def _expanded(self, slots: Slots) -> tuple[Expansion, npt.NDArray[np.float32] | None]:
        """Takes a step of the model; returns the extensions and the attention."""
        options, shape = self._options, self._scores.shape
        count = min(options.beam + 1, self._backend.vocabulary)
        assert slots.rows is not None
        if not options.constrained:
            scores, tokens, attention = self._backend.best(slots.rows, slots.tokens, count)
            return expand(self._scores, scores.reshape(*shape, count), tokens.reshape(*shape, count)), attention
        logits, attention = self._backend.logits(slots.rows, slots.tokens)
        return self._allowed(log_softmax(logits), count), attention

    def _allowed(self, scores: npt.NDArray[np.float32], count: int) -> Expansion:
        """Returns the extensions that the rules allow, given the log-probabilities of every next token."""
        shape, beam = self._scores.shape, self._options.beam
        texts, room = self._written(), self._limits - self._place
        last = np.repeat(room <= 1, beam).tolist()
        rules = [rule for rule in self._rules for _ in range(beam)]
        given = self._begun(scores)
        ban(scores, [text for slot in texts for text in slot], rules, self._states.reshape(-1).tolist(), last)
        for slot, token, values in given:
            scores[slot * beam : (slot + 1) * beam] = -np.inf
            scores[slot * beam : (slot + 1) * beam, token] = values
        likely, tokens = best_of(scores, count)
        found = expand(self._scores, likely.reshape(*shape, count), tokens.reshape(*shape, count))
        rows = scores.reshape(*shape, -1)
        for n, rule in enumerate(self._rules):
            if rule.forced:
                fair = expand_forced(self._scores[n], rows[n], texts[n], rule, int(room[n]))
                for whole, part in zip(found, fair, strict=True):
                    whole[n] = part[0]
        return found

    def _begun(self, scores: npt.NDArray[np.float32]) -> list[tuple[int, int, npt.NDArray[np.float32]]]:
        """Returns the slots whose next token is one of their prefix: the slot, the token, its scores in each row."""
        beam, found = self._options.beam, []
        for slot, place in enumerate(self._place.tolist()):
            if place < len(self._prefixes[slot]):
                token = self._prefixes[slot][place]
                found.append((slot, token, scores[slot * beam : (slot + 1) * beam, token].copy()))
        return found

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
        place = self._rules[slot].keep(self._texts[slot, row, :place].tolist())
        tokens = tuple(self._texts[slot, row, :place].tolist())
        value = score / length_penalty(place + ended, options.length_penalty)
        if options.coverage_penalty and self._coverage.shape[2]:
            covered = self._coverage[slot, row, : self._sources[slot]]
            value += coverage_penalty(covered, options.coverage_penalty)
        alignment = tuple(self._alignment[slot, row, :place].tolist())
        self._finished[slot].append(Hypothesis(tokens, value, score, alignment))

    def _extend(self, live: Expansion, attended: Ints | None) -> None:
        """Replaces the hypotheses by those that continue, whose rows attended as given."""
        if any(rules.words is not None for rules in self._rules):
            before = np.take_along_axis(self._states, live.parents, axis=1)
            for slot, rank in np.argwhere(np.isfinite(live.scores)).tolist():
                if (words := self._rules[slot].words) is not None:
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
        rules, place = self._rules[slot], int(self._place[slot])
        rows = np.flatnonzero(np.isfinite(self._scores[slot])).tolist()
        whole = [row for row in rows if not missing(self._texts[slot, row, :place].tolist(), rules)[0]]
        for row in whole:
            self._finish(slot, row, float(self._scores[slot, row]), ended=False)
