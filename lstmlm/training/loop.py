"""The training step and the validation loss of one worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from lstmlm.examples.dataset import own_rows
from lstmlm.models.base import Trainable
from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import Share, Task
from lstmlm.training.checkpoints.checkpoint import Position
from lstmlm.training.checkpoints.weight_average import WeightAverage
from lstmlm.training.optimizer import Optimizer
from lstmlm.training.workers.all_reduce import AllReduce
from lstmlm.training.workers.carried import CarriedState
from lstmlm.training.workers.shared_memory import room

Batch = Mapping[str, tf.Tensor]


class Loop:
    """Steps and evaluations over this worker's rows of the global batch.

    Attributes:
        share: Which rows these are.

    Args:
        model: The model.
        optimizer: Its optimizer.
        average: The running average of the weights, if one is kept.
        carried: The state of running streams; None: every batch begins with a state of zero.
        recipe: The run.
        group: Sums over workers.
        features: What a batch holds, by name; see `batch_specs`.
    """

    def __init__(
        self,
        model: Trainable,
        optimizer: Optimizer,
        average: WeightAverage | None,
        carried: CarriedState | None,
        recipe: Recipe,
        group: AllReduce,
        features: Mapping[str, tf.TensorSpec],
    ) -> None:
        self.model, self.optimizer, self.average, self.group = model, optimizer, average, group
        self._carried, self._seed, self._plan = carried, recipe.seed, recipe.training
        self.share = share_of(group, recipe)
        self._first, self._share = self.share.place(self._plan.batch)
        self._states = self._loaded()
        batch = {name: features[name] for name in sorted(features)}
        states = tf.nest.map_structure(lambda part: tf.TensorSpec([None, part.shape[1]]), self._states)
        scalar = tf.TensorSpec([], tf.float32)
        self._step = tf.function(self._train, input_signature=[batch, states, scalar, scalar, scalar])
        self._score = tf.function(self._evaluate, input_signature=[batch, states])

    def train(
        self, batch: Batch, step: int, rate: float, *, fresh: bool = True, average_share: float = 0.0
    ) -> tuple[float, float, float]:
        """Does one step.

        Args:
            batch: This worker's rows of the global batch.
            step: Number of the step, from 1.
            rate: Learning rate.
            fresh: Whether its streams begin here, so that the state of the step before means nothing.
            average_share: See `lstmlm.training.checkpoints.weight_average.average_share`.

        Returns:
            The global loss (nats per token), its tokens, and the norm of the gradient.
        """
        states = self._zero() if fresh else self._states
        loss, tokens, norm, self._states = self._step(dict(batch), states, rate, float(step), average_share)
        return float(loss), float(tokens), float(norm)

    def evaluate(self, batches: Iterable[Batch]) -> float:
        """Returns the global loss over all batches, in nats per token; the state is carried from batch to batch."""
        states, total, count = self._zero(), 0.0, 0.0
        for batch in batches:
            nats, tokens, states = self._score(dict(batch), states)
            total, count = total + float(nats), count + float(tokens)
        return total / max(1.0, count)

    def collect_state(self) -> None:
        """Readies the carried state for a checkpoint. Every worker must call it."""
        if self._carried is not None:
            self._carried.collect(self._first, self._states)

    def _loaded(self) -> list[State]:
        return [] if self._carried is None else self._carried.own(self._first, self._share)

    def _zero(self) -> list[State]:
        return tf.nest.map_structure(tf.zeros_like, self._states)

    def _train(
        self,
        batch: dict[str, tf.Tensor],
        states: list[State],
        rate: tf.Tensor,
        step: tf.Tensor,
        average_share: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[State]]:
        rows = tf.shape(next(iter(batch.values())))[0]
        seed = tf.stack([tf.constant(self._seed, tf.int32), tf.cast(step, tf.int32)])
        # Counts, which float32 sums exactly: the same number however many workers there are.
        (weight,) = self.group.sum([self.model.weight(batch)])
        weight = tf.maximum(weight, 1.0)
        sums, after = self._gradients(
            batch, states, seed, self.group.rank * rows, self.group.world * rows, 1.0 / weight
        )
        # The loss crosses the network with the gradients.
        *gradients, loss = self.group.sum(sums)
        norm = self.optimizer.apply(gradients, rate, step)
        if self.average is not None:
            self.average.update(average_share)
        return loss, weight, norm, after

    def _gradients(
        self,
        own: dict[str, tf.Tensor],
        states: list[State],
        seed: tf.Tensor,
        first: tf.Tensor,
        rows: tf.Tensor,
        weight: tf.Tensor,
    ) -> tuple[list[tf.Tensor], list[State]]:
        """Returns this worker's part of the mean gradients and the mean loss, and the states after, slice by slice.

        `weight` is that of a token in the mean. It goes through the backward pass, which costs less than a pass over
        the gradients.
        """
        slices = self._plan.accumulate
        size = tf.shape(next(iter(own.values())))[0] // slices
        sums: list[tf.Tensor] = []
        after: list[list[State]] = []
        for n in range(slices):
            part = {name: ids[n * size : (n + 1) * size] for name, ids in own.items()}
            before = [State(*(part[n * size : (n + 1) * size] for part in state)) for state in states]
            # A slice waits for the one before: side by side they would need the memory of the whole.
            with tf.control_dependencies(sums), tf.GradientTape() as tape:
                noise = Noise(seed, first + n * size, rows)
                nats, _, states_after = self._loss(part, before, noise)
            gradients = tape.gradient(nats, self.optimizer.targets, output_gradients=weight)
            found = [*map(tf.convert_to_tensor, gradients), weight * nats]
            sums = [old + new for old, new in zip(sums, found, strict=True)] if sums else found
            after.append(states_after)
        return sums, tf.nest.map_structure(lambda *parts: tf.concat(parts, axis=0), *after)

    def _loss(
        self, batch: dict[str, tf.Tensor], states: list[State], noise: Noise | None
    ) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        smoothing = self._plan.label_smoothing if noise is not None else 0.0
        if self._carried is not None:
            return self.model.carried_loss(batch, states, noise=noise, smoothing=smoothing)
        return (*self.model.loss(batch, noise=noise, smoothing=smoothing), states)

    def _evaluate(self, batch: Batch, states: list[State]) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        nats, tokens, after = self._loss(own_rows(batch, self.share), states, None)
        (summed,) = self.group.sum([tf.stack([nats, tokens])])
        return summed[0], summed[1], after


def batch_specs(batch: Batch) -> dict[str, tf.TensorSpec]:
    """Returns what batches like this one hold: any number of rows, of any length; further dimensions are fixed."""
    return {
        name: tf.TensorSpec([None, None, *values.shape[2:]][: len(values.shape)], values.dtype)
        for name, values in batch.items()
    }


def summed_room(variables: Iterable[tf.Variable]) -> int:
    """Returns the room that what the workers sum in a step takes: the gradients and the loss."""
    return sum(room(variable.shape.num_elements()) for variable in variables) + room(1)


def share_of(group: AllReduce, recipe: Recipe) -> Share:
    """Returns the rows of a global batch that a worker takes."""
    return Share(group.rank, group.world, recipe.training.accumulate)


def own_batches(task: Task, files: Sequence[Path], recipe: Recipe, position: Position, share: Share) -> Iterator[Batch]:
    """Yields a worker's rows of global batches without end from a position on, and moves the position along.

    The order is a pure function of (files, seed, epoch), which every worker knows from the indexes of the shards.
    """
    while True:
        used = 0
        for batch in task.batches(files, recipe, epoch=position.epoch, first=position.batch, share=share):
            used += 1
            position.batch += 1
            yield batch
        if used == 0 and position.batch == 0:
            return
        position.epoch, position.batch = position.epoch + 1, 0
