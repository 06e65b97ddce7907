"""When each token was said: the best path of CTC through given tokens (the Viterbi algorithm)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BLANK = 0
"""The id of the blank."""

Floats = npt.NDArray[np.float32]


def collapsed(path: Sequence[int]) -> list[int]:
    """Returns the tokens of a path: repeated ones count once, blanks not at all."""
    return [token for place, token in enumerate(path) if token != BLANK and (not place or token != path[place - 1])]


def greedy(log_probabilities: Floats) -> list[int]:
    """Returns the tokens of the most likely path of float32 [steps, vocabulary]."""
    return collapsed(log_probabilities.argmax(axis=1).tolist())


def aligned(log_probabilities: Floats, tokens: Sequence[int]) -> list[tuple[int, int]]:
    """Returns, for each token, its first step and the one after its last, on the most likely path through all tokens.

    Args:
        log_probabilities: float32 [steps, vocabulary].
        tokens: The tokens, without blanks.

    Raises:
        ValueError: There are too few steps for them.
    """
    if not tokens:
        return []
    labels = np.full(2 * len(tokens) + 1, BLANK)
    labels[1::2] = tokens
    # A label may follow the one before the last where that is not a blank and not the same label.
    skips = np.zeros(len(labels), bool)
    skips[3::2] = labels[3::2] != labels[1:-2:2]
    scores = log_probabilities[:, labels].astype(np.float64)
    steps = len(scores)
    best = np.full(len(labels), -np.inf)
    best[:2] = scores[0, :2]
    came = np.zeros([steps, len(labels)], np.int8)
    for step in range(1, steps):
        one = np.concatenate([[-np.inf], best[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], best[:-2]]), -np.inf)
        choices = np.stack([best, one, two])
        came[step] = choices.argmax(axis=0)
        best = choices.max(axis=0) + scores[step]
    place = len(labels) - 1 if best[-1] >= best[-2] else len(labels) - 2
    if best[place] == -np.inf:
        raise ValueError(f"{steps} steps are too few for {len(tokens)} tokens")
    spans = [(steps, 0)] * len(tokens)
    for step in range(steps - 1, -1, -1):
        if place % 2:
            first, last = spans[place // 2]
            spans[place // 2] = (min(first, step), max(last, step + 1))
        place -= int(came[step, place])
    return spans
