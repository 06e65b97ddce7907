"""Scores of labels: precision, recall and F1 of each, their means, the confusion matrix, and calibration."""

from __future__ import annotations

import collections
import math
from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

BINS = 15
"""Of confidence, for the calibration error (Guo et al. 2017)."""


class LabelScore(NamedTuple):
    """How good one label is, and how often it is right to give it (`support`)."""

    precision: float
    recall: float
    f1: float
    support: int


def label_scores(truth: Sequence[Set[Hashable]], given: Sequence[Set[Hashable]]) -> dict[Hashable, LabelScore]:
    """Returns the scores of each label that is true or given somewhere.

    Args:
        truth: The labels of each example.
        given: Those predicted.
    """
    right, true, said = (collections.Counter[Hashable]() for _ in range(3))
    for labels, predicted in zip(truth, given, strict=True):
        true.update(labels)
        said.update(predicted)
        right.update(labels & predicted)
    return {label: score_of(right[label], true[label], said[label]) for label in sorted(true | said, key=str)}


def score_of(right: int, true: int, said: int) -> LabelScore:
    """Returns the score of a label that is true so often, was given so often, and both so often."""
    f1 = 2 * right / (true + said) if true + said else 0.0
    return LabelScore(right / said if said else 0.0, right / true if true else 0.0, f1, true)


def macro_f1(scores: Mapping[Any, LabelScore]) -> float:
    """Returns the mean F1 of the labels; 0 where there is none."""
    return sum(score.f1 for score in scores.values()) / len(scores) if scores else 0.0


def micro_f1(truth: Sequence[Set[Hashable]], given: Sequence[Set[Hashable]]) -> float:
    """Returns the F1 of all labels of all examples together; 1 where none is true and none given."""
    right = sum(len(labels & predicted) for labels, predicted in zip(truth, given, strict=True))
    every = sum(map(len, truth)) + sum(map(len, given))
    return 2 * right / every if every else 1.0


def confusion(truth: Sequence[str], given: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """Returns the labels, sorted, and how often each (row) was given as each (column)."""
    names = sorted({*truth, *given})
    place = {name: n for n, name in enumerate(names)}
    counts = np.zeros([len(names), len(names)], np.int64)
    for label, predicted in zip(truth, given, strict=True):
        counts[place[label], place[predicted]] += 1
    return names, counts.tolist()


def calibration_error(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Returns the expected calibration error: the mean distance of confidence and share of right ones, over bins."""
    if not len(confidence):
        return 0.0
    sure, hits = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = (abs((sure[places == one] - hits[places == one]).sum()) for one in set(places.tolist()))
    return float(sum(gaps) / len(sure))


def cross_entropy(probabilities: Sequence[float]) -> float:
    """Returns the mean of -log p in nats, of the probability that each example gave to what is true."""
    if not len(probabilities):
        return 0.0
    return -sum(math.log(max(share, 1e-12)) for share in probabilities) / len(probabilities)
