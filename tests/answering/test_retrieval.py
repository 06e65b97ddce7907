"""Documents are found by words that they share with a question."""

from __future__ import annotations

import collections
import itertools
import math

import numpy as np
import pytest

from lstmlm.answering.retrieval import Index
from lstmlm.evaluation.answers.scores import words

TEXTS = [
    "The cat sat on the mat.",
    "A dog sat on a log, and the dog barked.",
    "關島為美國的屬地。",
    "Cats and dogs.",
    "the cat of the dog",
    "",
]


def plain_scores(query: str) -> list[float]:
    """The formula over words and bigrams, without hashing."""

    def counted(text: str) -> collections.Counter[str]:
        found = words(text)
        return collections.Counter([*found, *(f"{a} {b}" for a, b in itertools.pairwise(found))])

    documents = [counted(text) for text in TEXTS]
    scores = []
    for document in documents:
        total = 0.0
        for feature, times in counted(query).items():
            holds = sum(feature in one for one in documents)
            rarity = math.log(1 + (len(TEXTS) - holds + 0.5) / (holds + 0.5))
            total += math.log1p(times) * math.log1p(document[feature]) * rarity**2
        scores.append(total)
    return scores


@pytest.mark.parametrize(
    "query", ["Which cat sat on the mat?", "dog barked", "關島是哪國屬地？", "the", "nothing here", ""]
)
def test_scores_are_those_of_the_formula(query: str) -> None:
    np.testing.assert_allclose(Index(TEXTS).scores(query), plain_scores(query), rtol=1e-5)


def test_the_best_come_first_and_equal_ones_in_order() -> None:
    index = Index(TEXTS)
    assert index.best("the dog barked at the log", 2) == [1, 4]
    assert index.best("nothing", 3) == [0, 1, 2]
    assert index.best("關島", 1) == [2]
    assert Index([]).best("anything", 3) == []
