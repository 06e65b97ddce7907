"""N-gram baselines over token ids, which a language model is compared with.

The trigram is interpolated Kneser-Ney with three discounts a level (Chen and Goodman, 1999), where the lower levels
count the distinct words before an n-gram instead of its occurrences. N-grams are coded as one int64 each, so that
counting is a sort and looking up is a binary search.

A stream is a 1-D array of token ids. Its first token is context only, as it is for the LSTM; every other one is
predicted. No n-gram crosses from one stream into the next.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Stream = Sequence[int] | NDArray[Any]

_CHUNK = 1_000_000  # tokens scored at once; bounds the memory of the look-ups


def unigram_nll(train_streams: Iterable[Stream], valid_streams: Iterable[Stream], vocabulary: int) -> tuple[float, int]:
    """Scores the valid streams with add-one smoothed unigram frequencies.

    Args:
        train_streams: Streams that are counted.
        valid_streams: Streams that are scored.
        vocabulary: Number of token ids.

    Returns:
        Negative log-likelihood in nats, and the number of tokens it is the sum of.
    """
    probabilities = unigram(train_streams, vocabulary)
    _, _, predicted = _trigrams(valid_streams, vocabulary)
    return float(-np.log(probabilities[predicted]).sum()), len(predicted)


def unigram(streams: Iterable[Stream], vocabulary: int) -> Floats:
    """Returns the add-one smoothed probability of every token id, [vocabulary]."""
    counts = np.bincount(_trigrams(streams, vocabulary)[2], minlength=vocabulary) + 1.0
    return np.asarray(counts / counts.sum(), np.float64)


def kneser_ney_nll(
    train_streams: Iterable[Stream], valid_streams: Iterable[Stream], vocabulary: int
) -> tuple[float, int]:
    """Scores the valid streams with an interpolated Kneser-Ney trigram; see `unigram_nll` for the arguments."""
    model = KneserNey(train_streams, vocabulary)
    first, second, predicted = _trigrams(valid_streams, vocabulary)
    nll = 0.0
    for start in range(0, len(predicted), _CHUNK):
        part = slice(start, start + _CHUNK)
        nll -= float(np.log(model.probability(first[part], second[part], predicted[part])).sum())
    return nll, len(predicted)


class KneserNey:
    """An interpolated Kneser-Ney trigram: a proper distribution over the vocabulary after every context."""

    def __init__(self, streams: Iterable[Stream], vocabulary: int) -> None:
        """Counts the streams.

        Args:
            streams: Token ids below `vocabulary`; see the module.
            vocabulary: Number of token ids.
        """
        self.vocabulary = vocabulary
        self._base = vocabulary + 1  # one more id means "before the stream"
        first, second, third = _trigrams(streams, vocabulary)
        codes, counts = np.unique((first * self._base + second) * self._base + third, return_counts=True)
        self._three = _Level.of(codes, counts, self._base)
        codes, counts = np.unique(codes % self._base**2, return_counts=True)
        self._two = _Level.of(codes, counts, self._base)
        codes, counts = np.unique(codes % self._base, return_counts=True)
        self._one = _Level.of(codes, counts, self._base)

    def probability(self, first: Ids, second: Ids, third: Ids) -> Floats:
        """Returns p(third | first, second).

        Args:
            first: Token ids two places before, [n]; `vocabulary` means "before the stream".
            second: Token ids one place before, [n].
            third: Token ids predicted, [n].
        """
        below = np.full(len(third), 1.0 / self.vocabulary)
        below = self._one.interpolate(np.zeros_like(third), third, below)
        below = self._two.interpolate(second, third, below)
        return self._three.interpolate(first * self._base + second, third, below)


@dataclasses.dataclass(slots=True)
class _Level:
    """The discounted n-grams of one order.

    Attributes:
        codes: Sorted codes of the n-grams, [n].
        kept: Share of its context's count that each n-gram keeps after the discount, [n].
        contexts: Sorted codes of the contexts, [m].
        freed: Share of each context's count that goes to the order below, [m].
        base: Number of ids an n-gram is coded with.
    """

    codes: Ids
    kept: Floats
    contexts: Ids
    freed: Floats
    base: int

    @classmethod
    def of(cls, codes: Ids, counts: Ids, base: int) -> _Level:
        """Discounts the counts of sorted, distinct n-gram codes."""
        discounts = _discounts(counts)[np.minimum(counts, 3)]
        contexts, start = np.unique(codes // base, return_index=True)
        if not len(codes):
            return cls(codes, np.zeros(0), contexts, np.zeros(0), base)
        totals = np.add.reduceat(counts, start)
        sizes = np.diff(np.append(start, len(codes)))
        kept = (counts - discounts) / np.repeat(totals, sizes)
        return cls(codes, kept, contexts, np.add.reduceat(discounts, start) / totals, base)

    def interpolate(self, context: Ids, token: Ids, below: Floats) -> Floats:
        """Returns this order's probability of `token` after `context`, given that of the order below; all [n]."""
        kept = _look_up(self.codes, self.kept, context * self.base + token, 0.0)
        return kept + _look_up(self.contexts, self.freed, context, 1.0) * below


def _discounts(counts: Ids) -> Floats:
    """Returns what is taken from counts of 0, 1, 2 and 3 or more."""
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    plain = n1 / (n1 + 2 * n2) if n1 else 0.5  # without singletons nothing can be estimated
    if not (n1 and n2 and n3 and n4):
        return np.array([0.0, *(min(plain, 0.95),) * 3])  # at 1 a singleton would keep nothing
    estimate = [1 - 2 * plain * n2 / n1, 2 - 3 * plain * n3 / n2, 3 - 4 * plain * n4 / n3]
    # A few counts can put an estimate outside of what a count can give; then the single discount is used.
    fits = [value if 0 < value < k else plain for k, value in enumerate(estimate, start=1)]
    return np.array([0.0, *fits])


def _look_up(keys: Ids, values: Floats, wanted: Ids, absent: float) -> Floats:
    if not len(keys):
        return np.full(len(wanted), absent)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], absent)


def _trigrams(streams: Iterable[Stream], vocabulary: int) -> tuple[Ids, Ids, Ids]:
    """Returns the predicted tokens of all streams with the two before each: (first, second, third), [n] each."""
    first, second, third = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for stream in streams:
        ids = np.asarray(stream, np.int64)
        if len(ids) < 2:
            continue
        if ids.min() < 0 or ids.max() >= vocabulary:
            raise ValueError(f"token ids from {ids.min()} to {ids.max()} with a vocabulary of {vocabulary}")
        first.append(np.concatenate([np.array([vocabulary], np.int64), ids[:-2]]))
        second.append(ids[:-1])
        third.append(ids[1:])
    return np.concatenate(first), np.concatenate(second), np.concatenate(third)
