"""An ensemble: several models of one vocabulary decode together, as one backend of the engine.

At each step the next token is distributed as the normalised geometric mean of the models' distributions: their
log-probabilities are averaged, and the average is normalised (a logarithmic opinion pool, Heskes 1998; the ensembles of
Sutskever et al. 2014 and of OpenNMT average in the same way). An ensemble of one model twice is that model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lstmlm.decoding.backend import Array, Backend, Floats, Ints, Rows
from lstmlm.decoding.search.hypotheses import best_of, log_softmax


class Ensemble:
    """See `Backend`; the members compute one after the other.

    The states of all members follow each other in a row's state, and their coverages follow the last of these; so it is
    with what is attended to. All members read the same tokens.

    Args:
        members: Models of one vocabulary, computed by the same kind of backend.

    Raises:
        ValueError: They are of several vocabularies, or one reads sources and another one prompts.
    """

    def __init__(self, members: Sequence[Backend]) -> None:
        kinds = {(member.vocabulary, member.closes_source) for member in members}
        if len(kinds) != 1:
            raise ValueError(f"models of one vocabulary and one kind are needed, and there are {sorted(kinds)}")
        self._members = members
        self.vocabulary, self.closes_source = kinds.pop()
        self.source_axes: Sequence[int] = [axis for member in members for axis in member.source_axes]
        self.failures = tuple({failure for member in members for failure in member.failures})
        self._sizes: list[tuple[int, int]] = []  # of each member: states without coverage, coverages

    def encode(self, ids: Ints, lengths: Ints) -> Rows:
        """See `Backend`."""
        parts = [member.encode(ids, lengths) for member in self._members]
        self._sizes = [(len(part.state) - part.covers, part.covers) for part in parts]
        memory = [array for part in parts for array in part.memory]
        return Rows(self._joined(parts), memory, lengths, sum(part.covers for part in parts))

    def most_likely(self, rows: Rows, tokens: Ints) -> Ints:
        """See `Backend`."""
        return self.logits(rows, tokens)[0].argmax(axis=1)

    def best(self, rows: Rows, tokens: Ints, count: int) -> tuple[Floats, Ints, Floats | None]:
        """See `Backend`."""
        scores, attention = self.logits(rows, tokens)
        return *best_of(scores, count), attention

    def logits(self, rows: Rows, tokens: Ints) -> tuple[Floats, Floats | None]:
        """See `Backend`: the logarithms of the mean distribution, and the mean attention."""
        parts = [*self._split(rows)]
        found = [member.logits(part, tokens) for member, part in zip(self._members, parts, strict=True)]
        rows.state = self._joined(parts)
        mean = np.mean([log_softmax(logits) for logits, _ in found], axis=0, dtype=np.float32)
        attended = [attention for _, attention in found if attention is not None]
        attention = np.mean(attended, axis=0, dtype=np.float32) if attended else None
        return log_softmax(mean), attention

    def score(self, rows: Rows, tokens: Ints, targets: Ints) -> Floats:
        """See `Backend`; padding has no probability, as in decoding."""
        scores, _ = self.logits(rows, tokens)
        return scores[np.arange(len(targets)), targets]

    def take(self, array: Array, rows: Ints) -> Array:
        """See `Backend`."""
        return self._members[0].take(array, rows)

    def put(self, array: Array, rows: Ints, values: Array) -> Array:
        """See `Backend`."""
        return self._members[0].put(array, rows, values)

    def resize(self, array: Array, axis: int, size: int) -> Array:
        """See `Backend`."""
        return self._members[0].resize(array, axis, size)

    def _split(self, rows: Rows) -> Iterator[Rows]:
        """Yields the rows of each member."""
        states, memory = iter(rows.state), iter(rows.memory)
        plain = [[next(states) for _ in range(count)] for count, _ in self._sizes]
        for member, state, (_, covers) in zip(self._members, plain, self._sizes, strict=True):
            own = [next(memory) for _ in member.source_axes]
            yield Rows([*state, *(next(states) for _ in range(covers))], own, rows.lengths, covers)

    def _joined(self, parts: Sequence[Rows]) -> list[Array]:
        """Returns the states of all members, the coverages last."""
        counted = [*zip(parts, self._sizes, strict=True)]
        plain = [array for part, (count, _) in counted for array in part.state[:count]]
        return [*plain, *(array for part, (count, _) in counted for array in part.state[count:])]
