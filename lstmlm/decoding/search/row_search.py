"""Greedy search and sampling: one row per request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmlm.decoding.alignment import NOTHING, most_attended
from lstmlm.decoding.backend import Array, Backend, Floats, Ints
from lstmlm.decoding.constraints.constraints import Constraints, ban
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.search.request import Hypothesis, SearchOptions, SearchRequest
from lstmlm.decoding.search.sampling import draw
from lstmlm.decoding.search.second_thoughts import SecondThoughts
from lstmlm.decoding.slots import Slots
from lstmlm.tokenizer.special import END


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
        self._rules: list[Constraints] = [options.constraints] * slots
        self._states = np.zeros(slots, np.int64)  # of the forbidden words
        self._prefixes = np.zeros([slots, options.max_tokens if options.by_record else 0], np.int64)
        self._given = np.zeros(slots, np.int64)  # tokens of the prefix
        self._thoughts = SecondThoughts()

    def begin(self, slots: Ints, requests: Sequence[SearchRequest]) -> None:
        """See `Search`."""
        most = self._options.max_tokens
        self._place[slots] = 0
        self._limits[slots] = [most if request.limit is None else min(request.limit, most) for request in requests]
        self._seeds[slots] = [request.seed for request in requests]
        self._states[slots] = Forbidden.START
        self._given[slots] = [len(request.prefix) for request in requests]
        for slot, request in zip(slots.tolist(), requests, strict=True):
            self._rules[slot] = self._options.rules_of(request)
            self._prefixes[slot, : len(request.prefix)] = request.prefix
        self._thoughts.forget(slots.tolist())

    def advance(self, slots: Slots) -> Ints:
        """See `Search`."""
        assert slots.rows is not None
        tokens, attended = self._choose(slots)
        slots.tokens = tokens
        ended = tokens == END
        rows = np.flatnonzero(~ended & (self._place < self._limits))
        self._texts[rows, self._place[rows]] = tokens[rows]
        if attended is not None:
            self._alignment[rows, self._place[rows]] = attended[rows]
        self._place[rows] += 1
        return np.flatnonzero(ended | (self._place >= self._limits))

    def result(self, slot: int) -> list[Hypothesis]:
        """See `Search`."""
        place = self._rules[slot].keep(self._texts[slot, : self._place[slot]].tolist())
        tokens, alignment = self._texts[slot, :place].tolist(), self._alignment[slot, :place].tolist()
        return [Hypothesis(tuple(tokens), alignment=tuple(alignment))]

    def keep(self, slots: Ints) -> None:
        """See `Search`."""
        self._texts, self._alignment, self._place = self._texts[slots], self._alignment[slots], self._place[slots]
        self._limits, self._seeds, self._states = self._limits[slots], self._seeds[slots], self._states[slots]
        self._prefixes, self._given = self._prefixes[slots], self._given[slots]
        self._rules = [self._rules[slot] for slot in slots.tolist()]
        self._thoughts.keep(slots.tolist())

    def _choose(self, slots: Slots) -> tuple[Ints, Ints | None]:
        """Takes a step of the model; returns the next token of each row and, if asked for, what it attended to."""
        options = self._options
        assert slots.rows is not None
        if options.method == "greedy" and not options.constrained:
            if not options.align:
                return self._backend.most_likely(slots.rows, slots.tokens), None
            _, best, attention = self._backend.best(slots.rows, slots.tokens, 1)
            return best[:, 0], most_attended(attention, slots.rows.lengths)
        before = list(slots.rows.state)
        logits, attention = self._backend.logits(slots.rows, slots.tokens)
        attended = most_attended(attention, slots.rows.lengths) if options.align else None
        has_words = any(rules.words is not None for rules in self._rules)
        if has_words:
            self._reconsider(slots, before, logits, attended)
        if options.constrained:
            self._ban(logits)
        tokens = self._pick(logits, self._seeds, self._place)
        begun = np.flatnonzero(self._place < self._given)
        tokens[begun] = self._prefixes[begun, self._place[begun]]
        if has_words:
            self._follow(slots, tokens, logits, attended)
        return tokens, attended

    def _pick(self, logits: Floats, seeds: Ints, place: Ints) -> Ints:
        options = self._options
        if options.method == "greedy":
            return logits.argmax(axis=1)
        return draw(
            logits, seeds, place, temperature=options.temperature, top_k=options.top_k, top_p=options.top_p
        )  # fmt: skip

    def _ban(self, logits: Floats) -> None:
        places = self._place.tolist()
        written = [text[:place] for text, place in zip(self._texts.tolist(), places, strict=True)]
        last = (self._limits - self._place <= 1).tolist()
        ban(logits, written, self._rules, self._states.tolist(), last)

    def _reconsider(self, slots: Slots, before: list[Array], logits: Floats, attended: Ints | None) -> None:
        """Takes back the last token of rows that would continue to a forbidden word.

        A piece such as "the" may begin a longer word, so it is allowed where "the" is forbidden. Where the model then
        would end the word, another piece is chosen in its place: the row goes back by a step.
        """
        rows = slots.rows
        assert rows is not None
        for slot, thought in self._thoughts.all():
            words = self._rules[slot].words
            assert words is not None
            place = slice(slot, slot + 1)
            wanted = int(self._pick(logits[place], self._seeds[place], self._place[place])[0])
            if wanted not in words.banned(int(self._states[slot]), last=False):
                continue
            one = np.array([slot])
            for n, array in enumerate(before):
                rows.state[n] = self._backend.put(rows.state[n], one, self._backend.take(array, one))
            logits[slot] = thought.logits
            self._states[slot] = thought.state
            self._place[slot] -= 1
            if attended is not None:
                attended[slot] = thought.attended

    def _follow(self, slots: Slots, tokens: Ints, logits: Floats, attended: Ints | None) -> None:
        """Follows the words that the rows write, and remembers what else could have been chosen in a forbidden one."""
        self._thoughts.clear()
        for slot in np.flatnonzero((slots.owners >= 0) & (tokens != END)).tolist():
            if (words := self._rules[slot].words) is None:
                continue
            token, state = int(tokens[slot]), int(self._states[slot])
            self._states[slot] = words.step(state, token)
            # A token of the prefix was not chosen, so nothing else could have been.
            if self._place[slot] >= self._given[slot] and not words.may_end(int(self._states[slot])):
                self._thoughts.add(slot, logits[slot], token, state, NOTHING if attended is None else attended[slot])
