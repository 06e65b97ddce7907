"""The training step and the validation loss of one worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from lstmlm.models.base import SequenceModel
from lstmlm.models.noise import Noise
from lstmlm.recipe import Recipe
from lstmlm.task import Task
from lstmlm.training.all_reduce import AllReduce
from lstmlm.training.checkpoint import Position
from lstmlm.training.optimizer import Adam

Batch = Mapping[str, tf.Tensor]


class Loop:
    """Steps and evaluations over this worker's rows of the global batch.

    Args:
        model: The model.
        optimizer: Its optimizer.
        recipe: The run.
        group: Sums over workers.
        features: Names of the features a batch holds.
    """

    def __init__(
        self, model: SequenceModel, optimizer: Adam, recipe: Recipe, group: AllReduce, features: Iterable[str]
    ) -> None:
        self.model, self.optimizer, self.group = model, optimizer, group
        self._smoothing, self._seed = recipe.training.label_smoothing, recipe.seed
        batch = {name: tf.TensorSpec([None, None], tf.int32) for name in sorted(features)}
        scalar = tf.TensorSpec([], tf.float32)
        self._step = tf.function(self._train, input_signature=[batch, scalar, scalar])
        self._score = tf.function(self._evaluate, input_signature=[batch])

    def train(self, batch: Batch, step: int, rate: float) -> tuple[float, float, float]:
        """Does one step; returns the global loss (nats a token), tokens, and the gradient's norm."""
        loss, tokens, norm = self._step(dict(batch), float(rate), float(step))
        return float(loss), float(tokens), float(norm)

    def evaluate(self, batches: Iterable[Batch]) -> float:
        """Returns the global loss over all batches, in nats a token."""
        sums = [self._score(dict(batch)) for batch in batches]
        total = sum(float(nats) for nats, _ in sums)
        return total / max(1.0, sum(float(tokens) for _, tokens in sums))

    def _own(self, batch: Batch) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        """Returns this worker's rows, the index of the first, and the number of all rows."""
        rows = tf.shape(next(iter(batch.values())))[0]
        share = (rows + self.group.world - 1) // self.group.world
        first = self.group.rank * share
        own = {}
        for name, ids in batch.items():
            padded = tf.pad(ids, [[0, share * self.group.world - rows], [0, 0]])
            own[name] = padded[first : first + share]
        return own, first, share * self.group.world

    def _train(self, batch: Batch, rate: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        own, first, rows = self._own(batch)
        seed = tf.stack([tf.constant(self._seed, tf.int32), tf.cast(step, tf.int32)])
        with tf.GradientTape() as tape:
            nats, tokens = self.model.loss(own, noise=Noise(seed, first, rows), smoothing=self._smoothing)
        gradients = tape.gradient(nats, self.optimizer.targets)
        flat = [tf.reshape(tf.convert_to_tensor(gradient), [-1]) for gradient in gradients]
        # One buffer, so that the gradients, the loss and the token count cross the network together.
        summed = self.group.sum(tf.concat([*flat, [nats, tokens]], axis=0))
        nats, tokens = summed[-2], tf.maximum(summed[-1], 1.0)
        norm = self.optimizer.apply(summed[:-2] / tokens, rate, step)
        return nats / tokens, tokens, norm

    def _evaluate(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        own, _, _ = self._own(batch)
        nats, tokens = self.model.loss(own, noise=None, smoothing=0.0)
        summed = self.group.sum(tf.stack([nats, tokens]))
        return summed[0], summed[1]


def global_batches(task: Task, files: Sequence[Path], recipe: Recipe, position: Position) -> Iterator[Batch]:
    """Yields global batches without end from a position on, and moves the position along.

    The order is a pure function of (files, seed, epoch): every worker reads the same stream and takes its own rows.
    """
    while True:
        used = 0
        for batch in task.batches(files, recipe, epoch=position.epoch).skip(position.batch):
            used += 1
            position.batch += 1
            yield batch
        if used == 0 and position.batch == 0:
            return
        position.epoch, position.batch = position.epoch + 1, 0
