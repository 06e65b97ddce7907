"""LSTM layers on top of each other, with dropout behind each."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.lstm import LSTM, State
from lstmlm.models.noise import Noise, locked_dropout


class Stack(tf.Module):
    """Layers of the same number of units; the first reads the input, each other one the layer below.

    Args:
        width: Size of an input vector.
        units: Size of every layer's state.
        layers: Number of layers.
        dropout: Share dropped behind each layer.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
        name: Prefix of the layers' names.
    """

    def __init__(
        self,
        width: int,
        units: int,
        layers: int,
        dropout: float,
        generator: tf.random.Generator,
        *,
        precision: tf.DType,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.units, self.dropout = units, dropout
        self.layers = [
            LSTM(size, units, generator, precision=precision, name=f"{name}_{n}")
            for n, size in enumerate([width] + [units] * (layers - 1))
        ]

    def zero_state(self, batch: tf.Tensor) -> list[State]:
        """Returns the state of every layer before the first step."""
        return [layer.zero_state(batch) for layer in self.layers]

    def __call__(
        self, values: tf.Tensor, states: list[State], noise: Noise | None, site: int
    ) -> tuple[tf.Tensor, list[State]]:
        """Runs all layers over time.

        Args:
            values: float32 [time, batch, width].
            states: State of every layer before the first step.
            noise: Dropout noise, or None.
            site: Number of the first layer's dropout in the network; the layers above take the next ones.

        Returns:
            The top layer's outputs, float32 [time, batch, units], and the states after the last step.
        """
        after = []
        for n, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            values, state = layer(values, state)
            values = locked_dropout(values, self.dropout, noise, site + n)
            after.append(state)
        return values, after

    def step(self, values: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        """Runs one time step without dropout: float32 [batch, width] -> [batch, units] and the states after it."""
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            after.append(layer.step(values, state))
            values = after[-1].h
        return values, after
