"""The carried LSTM state of each stream of the global batch, sharded over the workers by row."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.base import Trainable
from lstmlm.models.lstm import State
from lstmlm.training.workers.all_reduce import AllReduce


class CarriedState:
    """State that goes from window to window, and into checkpoints whole, whichever worker held which row.

    Args:
        model: The model.
        rows: Rows of the global batch.
        group: The workers.
    """

    def __init__(self, model: Trainable, rows: int, group: AllReduce) -> None:
        self._rows = rows
        self._sum = tf.function(lambda *parts: group.sum(parts))
        self._whole = [
            State(*(tf.Variable(part, trainable=False) for part in state))
            for state in model.zero_state(tf.constant(rows))
        ]

    def variables(self) -> dict[str, tf.Variable]:
        """Returns what a checkpoint must hold: float32 [rows, units] each."""
        return {
            f"state/{layer}/{name}": part
            for layer, state in enumerate(self._whole)
            for name, part in zip(State._fields, state, strict=True)
        }

    def own(self, first: int, share: int) -> list[State]:
        """Returns the state of the `share` rows from `first` on; rows beyond the last are zero."""
        filled = max(0, min(share, self._rows - first))
        return [
            State(*(tf.pad(part[first : first + filled], [[0, share - filled], [0, 0]]) for part in state))
            for state in self._whole
        ]

    def collect(self, first: int, states: list[State]) -> None:
        """Puts the states of this worker's rows and those of all others together. Every worker must call it."""
        first = min(first, self._rows)
        placed = []
        for part in (part for state in states for part in state):
            own = part[: self._rows - first]
            placed.append(tf.pad(own, [[first, self._rows - first - own.shape[0]], [0, 0]]))
        for variable, whole in zip(self.variables().values(), self._sum(*placed), strict=True):
            variable.assign(tf.raw_ops.DeepCopy(x=whole))  # a variable keeps the memory it is given; see AllReduce.sum
