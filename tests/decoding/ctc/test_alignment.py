"""The best path through given tokens, against all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lstmlm.decoding.ctc.alignment import aligned, collapsed, greedy


def outputs(steps: int, vocabulary: int, seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 2, [steps, vocabulary])
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


@pytest.mark.parametrize("tokens", [[1], [1, 2], [2, 2], [1, 2, 1], [2, 1, 1]])
def test_it_is_the_best_of_all_paths(tokens: list[int]) -> None:
    for seed in range(5):
        found = outputs(5, 3, seed)
        paths = [path for path in itertools.product(range(3), repeat=5) if collapsed(path) == tokens]
        best = max(paths, key=lambda path: sum(found[step, token] for step, token in enumerate(path)))
        spans = aligned(found, tokens)
        drawn = [0] * 5
        for token, (first, last) in zip(tokens, spans, strict=True):
            drawn[first:last] = [token] * (last - first)
        assert tuple(drawn) == best


def test_too_few_steps_are_an_error() -> None:
    assert aligned(outputs(3, 3, 1), [1, 1]) == [(0, 1), (2, 3)]
    with pytest.raises(ValueError, match="2 steps are too few for 2 tokens"):
        aligned(outputs(2, 3, 1), [1, 1])
    assert aligned(outputs(2, 3, 1), []) == []


def test_repeated_tokens_and_blanks_do_not_count() -> None:
    assert collapsed([0, 1, 1, 0, 1, 2, 2, 0, 0]) == [1, 1, 2]
    found = outputs(9, 4, 3)
    assert greedy(found) == collapsed(found.argmax(axis=1).tolist())
