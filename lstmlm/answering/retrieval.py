"""Finds documents that may answer a question: TF-IDF of hashed words and bigrams (Chen et al. 2017, section 3.1)."""

from __future__ import annotations

import binascii
import collections
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.evaluation.answers.scores import words

BUCKETS = 1 << 24
"""Features are counted by hash, as DrQA does: 2 ** 24 of them."""

Floats = npt.NDArray[np.float32]


class Index:
    """The features of texts, and in which texts they are.

    A text's feature weighs log(1 + count) * log(1 + (N - n + 0.5) / (n + 0.5)), where N texts are indexed and n have it
    (the 1 in the second logarithm keeps it above 0 where there are few texts); texts are compared by the product of
    their weights.

    Args:
        texts: What is searched.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [_features(text) for text in texts]
        features = np.fromiter((feature for one in counts for feature in one), np.int64)
        times = np.fromiter((times for one in counts for times in one.values()), np.float64)
        owners = np.repeat(np.arange(len(texts)), [len(one) for one in counts])
        order = np.lexsort((owners, features))
        self._size = len(texts)
        self._features, firsts, numbers = np.unique(features[order], return_index=True, return_counts=True)
        self._firsts = np.append(firsts, len(features))
        self._rarity = np.log1p((len(texts) - numbers + 0.5) / (numbers + 0.5))
        self._owners, self._weights = owners[order], np.log1p(times[order])

    def scores(self, query: str) -> Floats:
        """Returns how well each text fits a query, float32 [texts]; 0 for one that shares nothing with it."""
        found = np.zeros(self._size)
        for feature, times in _features(query).items():
            place = int(np.searchsorted(self._features, feature))
            if place < len(self._features) and self._features[place] == feature:
                part = slice(self._firsts[place], self._firsts[place + 1])
                found[self._owners[part]] += np.log1p(times) * self._weights[part] * self._rarity[place] ** 2
        return found.astype(np.float32)

    def best(self, query: str, most: int) -> list[int]:
        """Returns the numbers of the texts that fit best, the best first; of equal ones the earlier comes first."""
        scores = self.scores(query)
        return np.argsort(-scores, kind="stable")[:most].tolist()


def _features(text: str) -> collections.Counter[int]:
    """Returns how often each hash of a word or a bigram is in a text."""
    found = words(text)
    pairs = (f"{left} {right}" for left, right in itertools.pairwise(found))
    return collections.Counter(
        binascii.crc32(part.encode("utf-8", "surrogatepass")) % BUCKETS for part in (*found, *pairs)
    )
