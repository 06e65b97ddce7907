"""Evaluates a model that predicts in one pass during training, by what it predicts for some of the valid split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lstmlm.models.base import OnePass
from lstmlm.training.workers.all_reduce import AllReduce

Measured = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, tuple[float, float]]]


class OnePassProbe:
    """See `lstmlm.task.MetricProbe`; each worker takes some batches, and the sums cross the network.

    Args:
        batches: Global batches of the valid split.
        model: The model, used with the weights it has at the time.
        measured: Metric -> sum over the examples of a batch, and what that is divided by.
        metrics: Their names.
        group: The workers.
    """

    def __init__(
        self,
        batches: Sequence[Mapping[str, tf.Tensor]],
        model: OnePass,
        measured: Measured,
        metrics: Sequence[str],
        group: AllReduce,
    ) -> None:
        self._batches, self._measured, self._metrics, self._group = batches, measured, metrics, group
        self._predict = tf.function(lambda batch: model.predict(batch), reduce_retracing=True)
        self._sum = tf.function(lambda sums: group.sum([sums])[0])

    def measure(self) -> dict[str, float]:
        """See `MetricProbe`."""
        own = np.zeros([len(self._metrics), 2], np.float32)
        for number, batch in enumerate(self._batches):
            if number % self._group.world == self._group.rank:
                predicted = {name: values.numpy() for name, values in self._predict(dict(batch)).items()}
                found = self._measured(predicted, {name: values.numpy() for name, values in batch.items()})
                own += np.array([found[name] for name in self._metrics], np.float32)
        sums = self._sum(tf.constant(own)).numpy()
        return {name: float(total / max(count, 1e-9)) for name, (total, count) in zip(self._metrics, sums, strict=True)}
