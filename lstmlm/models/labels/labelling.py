"""What models that give labels have in common: the loss, the probabilities, and their calibration."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

from lstmlm.models.base import OnePass
from lstmlm.models.labels.calibration import fitted_sharpness
from lstmlm.models.noise import Noise

Kind = Literal["one", "many", "tokens"]


class Labelling(OnePass):
    """A model whose logits are those of labels.

    A batch holds `tokens`, int32 [batch, time]; of kind `tokens` also `first`, the place of each word's first token,
    int32 [batch, words]. What is learnt is in `label`: int32 [batch] of kind `one`; [batch, labels of the text], whose
    number is in `label_length`, of kind `many`; [batch, words] of kind `tokens`.

    Args:
        kind: What is labelled.
        labels: Number of labels.
        name: Of the module.
    """

    def __init__(self, kind: Kind, labels: int, name: str) -> None:
        super().__init__(name=name)
        self.kind, self.labels = kind, labels

    @abc.abstractmethod
    def every_logits(self, batch: Mapping[str, tf.Tensor], noise: Noise | None) -> list[tf.Tensor]:
        """Returns the logits of each member of an ensemble, float32 [batch, labels] or [batch, words, labels]."""

    @abc.abstractmethod
    def outputs(self) -> list[tf.Variable]:
        """Returns the variables that the logits are a linear function of."""

    def logits(self, batch: Mapping[str, tf.Tensor], noise: Noise | None = None) -> tf.Tensor:
        """Returns the mean of the members' logits: their probabilities' geometric mean."""
        found = self.every_logits(batch, noise)
        return tf.add_n(found) / float(len(found))

    def predict(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """See `OnePass.predict`: `probabilities`, float32 [batch, labels] or [batch, words, labels]."""
        logits = self.logits(batch)
        return {"probabilities": tf.sigmoid(logits) if self.kind == "many" else tf.nn.softmax(logits)}

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Trainable.loss`: each member learns for itself; at evaluation the loss is that of their mean."""
        every = self.every_logits(batch, noise) if noise is not None else [self.logits(batch)]
        goal, weights = self.goal(batch, smoothing), self.weights(batch)
        total = tf.add_n([tf.reduce_sum(self.nats(goal, logits) * weights) for logits in every])
        return total / float(len(every)), self.weight(batch)

    def weight(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Trainable.weight`: the number of texts, or of words."""
        return tf.reduce_sum(self.weights(batch))

    @contextlib.contextmanager
    def published(self, held_out: Sequence[Mapping[str, tf.Tensor]]) -> Iterator[dict[str, float]]:
        """See `Trainable.published`: the probabilities are calibrated by a temperature (Guo et al. 2017).

        The logits are divided by it, so it goes into the weights of the output: the network stays what it is.
        """
        sharpness = self._fitted(held_out)
        before = [variable.numpy() for variable in self.outputs()]
        for variable, values in zip(self.outputs(), before, strict=True):
            variable.assign(np.float32(sharpness) * values)
        try:
            yield {"temperature": 1.0 / sharpness}
        finally:
            for variable, values in zip(self.outputs(), before, strict=True):
                variable.assign(values)

    def _fitted(self, held_out: Sequence[Mapping[str, tf.Tensor]]) -> float:
        logits, goals = [], []
        for batch in held_out:
            kept = self.weights(batch).numpy() > 0
            logits.append(self._traced(dict(batch)).numpy()[kept])
            goals.append(self.goal(batch, 0.0).numpy()[kept])
        if not logits:
            return 1.0
        return fitted_sharpness(np.concatenate(logits), np.concatenate(goals), several=self.kind == "many")

    @property
    def _traced(self) -> tf.types.experimental.GenericFunction:
        if not hasattr(self, "_logits"):
            self._logits = tf.function(lambda batch: self.logits(batch), reduce_retracing=True)
        return self._logits

    def weights(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns 1 where a text or word counts and 0 where it fills up, float32 [batch] or [batch, words]."""
        if self.kind == "tokens":
            return tf.sequence_mask(batch["label_length"], tf.shape(batch["label"])[1], tf.float32)
        return tf.cast(batch["is_example"], tf.float32)

    def goal(self, batch: Mapping[str, tf.Tensor], smoothing: float) -> tf.Tensor:
        """Returns the probabilities that are learnt, float32 [..., labels]."""
        if self.kind == "many":
            each = tf.one_hot(batch["label"], self.labels)
            inside = tf.sequence_mask(batch["label_length"], tf.shape(batch["label"])[1], tf.float32)
            return tf.reduce_max(each * inside[..., None], axis=1) * (1.0 - smoothing) + smoothing / 2.0
        return tf.one_hot(batch["label"], self.labels) * (1.0 - smoothing) + smoothing / self.labels

    def nats(self, goal: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Returns the cross-entropy of logits [..., labels] with probabilities that are learnt, float32 [...]."""
        if self.kind == "many":
            return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(goal, logits), axis=-1)
        return tf.nn.softmax_cross_entropy_with_logits(goal, logits)
