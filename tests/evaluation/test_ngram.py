"""The n-gram baselines: proper distributions, checked against hand counts and a slow twin."""

import math
from collections import Counter

import numpy as np
import pytest

from lstmlm.evaluation.ngram import KneserNey, Stream, _discounts, kneser_ney_nll, unigram, unigram_nll

VOCABULARY = 30


def streams(seed: int, tokens: int, count: int = 3) -> list[Stream]:
    draw = np.random.default_rng(seed)
    return [np.minimum(draw.zipf(1.3, tokens), VOCABULARY - 3) for _ in range(count)]


def test_unigram_counts_and_adds_one() -> None:
    probabilities = unigram([[3, 0, 0, 1]], 4)  # the first token is context only
    assert probabilities.tolist() == [3 / 7, 2 / 7, 1 / 7, 1 / 7]
    nll, tokens = unigram_nll([[3, 0, 0, 1]], [[1, 0, 2]], 4)
    assert tokens == 2
    assert math.isclose(nll, -math.log(3 / 7) - math.log(1 / 7))


@pytest.mark.parametrize("train", [streams(1, 400), [[3, 4]], [], [[3] * 50]], ids=["text", "pair", "none", "same"])
def test_kneser_ney_sums_to_one_after_every_context(train: list[Stream]) -> None:
    model = KneserNey(train, VOCABULARY)
    every = np.arange(VOCABULARY)
    # Seen and unseen contexts, the start of a stream, and ids that never occur.
    for first, second in [(1, 1), (1, 2), (2, 1), (VOCABULARY, 3), (3, 3), (28, 1), (1, 29), (29, 29)]:
        p = model.probability(np.full_like(every, first), np.full_like(every, second), every)
        assert (p > 0).all()
        assert math.isclose(p.sum(), 1.0, abs_tol=1e-9)


def test_kneser_ney_agrees_with_a_slow_twin() -> None:
    train, valid = streams(2, 300), streams(3, 60)
    slow = sum(-math.log(slow_probability(train, first, second, third)) for first, second, third in padded(valid))
    nll, tokens = kneser_ney_nll(train, valid, VOCABULARY)
    assert tokens == 3 * 59
    assert math.isclose(nll, slow, rel_tol=1e-9)


def padded(texts: list[Stream]) -> list[tuple[int, ...]]:
    return [tuple(gram) for text in texts for gram in zip([-1, *text], text, text[1:], strict=False)]


def slow_probability(train: list[Stream], *gram: int) -> float:
    """The recursion of Chen and Goodman, with dictionaries."""
    grams = padded(train)
    counts = [Counter(grams), Counter(g[1:] for g in set(grams)), Counter()]
    counts[2] = Counter(g[1:] for g in counts[1])
    below = 1.0 / VOCABULARY
    for level in (2, 1, 0):
        found, wanted = counts[level], gram[level:]
        after = {g: n for g, n in found.items() if g[:-1] == wanted[:-1]}
        if not after:
            continue
        discounts = _discounts(np.array(list(found.values())))
        total = sum(after.values())
        freed = sum(discounts[min(n, 3)] for n in after.values())
        own = after.get(wanted, 0)
        below = (own - discounts[min(own, 3)] + freed * below) / total
    return below


@pytest.mark.parametrize(
    "counts", [[1] * 5, [2] * 5, [1, 2], [5, 9], [1] * 2 + [2] * 9 + [3] * 40 + [4] * 200, [1, 1, 2, 3, 4], []]
)
def test_discounts_never_take_more_than_there_is(counts: list[int]) -> None:
    zero, one, two, three = _discounts(np.array(counts, np.int64))
    assert zero == 0
    assert 0 < one < 1
    assert 0 < two < 2
    assert 0 < three < 3


def test_order_helps_where_text_has_order() -> None:
    text = [np.tile([3, 4, 5, 6, 7], 200)]
    trigram, _ = kneser_ney_nll(text, text, VOCABULARY)
    assert trigram < 0.1 * unigram_nll(text, text, VOCABULARY)[0]


def test_a_token_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="vocabulary of 30"):
        kneser_ney_nll([[1, 30]], [[1, 2]], VOCABULARY)
