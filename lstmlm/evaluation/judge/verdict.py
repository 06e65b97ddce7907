"""Says how well texts of two kinds are distinguished, by a head that is fitted on some and tried on others."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from lstmlm.evaluation.judge.auc import Auc, with_interval
from lstmlm.evaluation.judge.logistic import Head, fit
from lstmlm.evaluation.judge.reading import Floats, Reading


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """How well real and generated texts are distinguished.

    Attributes:
        likelihood: By how likely the generator finds them.
        hidden: By a head on its last LSTM layer, and how likely it finds them.
        accuracy: Share of the texts that this head takes for what they are.
    """

    likelihood: Auc
    hidden: Auc
    accuracy: float


def fitted(real: Reading, generated: Reading, *, whole: bool) -> Head:
    """Fits a head on pairs: real text n and generated text n are of one group.

    Args:
        real: What was found in real texts.
        generated: The same of as many generated ones.
        whole: Go by all features; false: only by how likely the texts are.
    """
    groups = np.arange(len(real.likelihood))
    kinds = np.repeat([True, False], [len(groups), len(groups)])
    features = np.concatenate([_features(real, whole=whole), _features(generated, whole=whole)])
    return fit(features, kinds, np.concatenate([groups, groups]))


def verdict(real: Reading, generated: Reading, seed: int) -> Verdict:
    """Fits on every second pair and tries on the others.

    Not the other way round as well: where there is nothing to learn, the two areas deviate from 0.5 together, so that
    an interval of both would be too narrow.

    Args:
        real: What was found in real texts.
        generated: The same of as many generated ones, each the counterpart of the real one at its place.
        seed: Decides the draws of the intervals.
    """
    places = np.arange(len(real.likelihood))
    learnt, tried = places[::2], places[1::2]

    def scores(*, whole: bool) -> tuple[Floats, Floats]:
        head = fitted(real.some(learnt), generated.some(learnt), whole=whole)
        return (
            head.score(_features(real.some(tried), whole=whole)),
            head.score(_features(generated.some(tried), whole=whole)),
        )

    (likely, unlikely), (true, false) = scores(whole=False), scores(whole=True)
    right = np.concatenate([true > 0, false <= 0])
    areas = with_interval(likely, unlikely, seed), with_interval(true, false, seed)
    return Verdict(*areas, accuracy=float(right.mean()))


def best(head: Head, samples: Reading, each: int) -> npt.NDArray[np.int64]:
    """Returns the place of the sample that a head takes for the most real, of each prompt: int64 [prompts].

    Args:
        head: Goes by all features.
        samples: What was found in the samples, those of a prompt one after the other.
        each: Samples of a prompt.
    """
    scores = head.score(samples.features).reshape([-1, each])
    return np.arange(len(scores)) * each + scores.argmax(axis=1)


def _features(one: Reading, *, whole: bool) -> Floats:
    return one.features if whole else one.likelihood
