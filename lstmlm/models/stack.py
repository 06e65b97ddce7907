"""LSTM layers on top of each other, with dropout behind each."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.lstm import LSTM, State
from lstmlm.models.noise import Noise, locked_dropout, shared_mask
from lstmlm.recipe.sections.model import ModelSection

WEIGHT_SITE = 500


class Stack(tf.Module):
    """Layers of the same number of units; the first reads the input, each other one the layer below.

    With `sizes.residual` a layer's input is added to its output from the second layer on (He et al. 2016).

    Args:
        width: Size of an input vector.
        sizes: The recipe's `model` section.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
        name: Prefix of the layers' names.
    """

    def __init__(
        self, width: int, sizes: ModelSection, generator: tf.random.Generator, *, precision: tf.DType, name: str
    ) -> None:
        super().__init__(name=name)
        self.units, self.sizes = sizes.units, sizes
        self.layers = [
            LSTM(size, sizes.units, generator, precision=precision, name=f"{name}_{n}")
            for n, size in enumerate([width] + [sizes.units] * (sizes.layers - 1))
        ]

    def zero_state(self, batch: tf.Tensor) -> list[State]:
        """Returns the state of every layer before the first step."""
        return [layer.zero_state(batch) for layer in self.layers]

    def __call__(
        self, values: tf.Tensor, states: list[State], noise: Noise | None, site: int
    ) -> tuple[tf.Tensor, list[State]]:
        """Runs all layers over time; see `run`."""
        _, dropped, after = self.run(values, states, noise, site)
        return dropped, after

    def run(
        self, values: tf.Tensor, states: list[State], noise: Noise | None, site: int
    ) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        """Runs all layers over time.

        Args:
            values: float32 [time, batch, width].
            states: State of every layer before the first step.
            noise: Dropout noise, or None.
            site: Number of the first layer's dropout in the network; the layers above take the next ones.

        Returns:
            The top layer's outputs before and behind its dropout, both float32 [time, batch, units], and the states
            after the last step.
        """
        after, raw = [], values
        for n, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            below = values
            raw, state = layer(below, state, self._recurrent(layer, noise, site + n))
            raw = raw + below if self._adds(n) else raw
            values = locked_dropout(raw, self._rate(n), noise, site + n)
            after.append(state)
        return raw, values, after

    def step(self, values: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        """Runs one time step without dropout: float32 [batch, width] -> [batch, units] and the states after it."""
        after = []
        for n, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            after.append(layer.step(values, state))
            values = after[-1].h + values if self._adds(n) else after[-1].h
        return values, after

    def _adds(self, layer: int) -> bool:
        return self.sizes.residual and layer > 0

    def _rate(self, layer: int) -> float:
        top = layer == len(self.layers) - 1
        if top and self.sizes.output_dropout is not None:
            return self.sizes.output_dropout
        return self.sizes.dropout

    def _recurrent(self, layer: LSTM, noise: Noise | None, site: int) -> tf.Tensor | None:
        """Returns recurrent weights of which a share is 0 for this step (DropConnect; Merity et al. 2018)."""
        rate = self.sizes.weight_drop
        if noise is None or rate == 0.0:
            return None
        return layer.recurrent * shared_mask(layer.recurrent.shape.as_list(), rate, noise, WEIGHT_SITE + site)
