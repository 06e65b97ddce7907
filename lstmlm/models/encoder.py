"""The bidirectional LSTM encoder (Schuster and Paliwal 1997)."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.lstm import LSTM
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.recipe.sections.model import ModelSection


class Encoder(tf.Module):
    """Layers that read a text in both directions.

    A row's outputs depend only on its own tokens: forward, padding comes after them; backward, the row is reversed
    within its own length, so padding comes after them again.

    With `sizes.residual` a layer's input is added to its output from the second layer on.

    Args:
        width: Width of an input vector.
        sizes: The recipe's `model` section.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
        name: Prefix of the layers' names.
        site: Number of the first layer's dropout in the network; the layers above take the next ones.
    """

    def __init__(
        self,
        width: int,
        sizes: ModelSection,
        generator: tf.random.Generator,
        *,
        precision: tf.DType,
        name: str = "encoder",
        site: int = 100,
    ) -> None:
        super().__init__(name=name)
        self._site = site
        self.sizes, units = sizes, sizes.encoder_units
        widths = [width] + [2 * units] * (sizes.encoder_layers - 1)
        self.directions = [
            [
                LSTM(w, units, generator, precision=precision, name=f"{name}_{n}_{way}")
                for way in ("forward", "backward")
            ]
            for n, w in enumerate(widths)
        ]

    def __call__(self, values: tf.Tensor, lengths: tf.Tensor, noise: Noise | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes.

        Args:
            values: float32 [time, batch, width].
            lengths: int32 [batch].
            noise: Dropout noise, or None.

        Returns:
            The top layer's outputs, float32 [time, batch, 2 * units], and the concatenated last states of its two
            directions, float32 [batch, 2 * units] (h of forward at the last token, h of backward at the first).
        """
        batch = tf.shape(values)[1]
        for n, (forward, backward) in enumerate(self.directions):
            ahead, _ = forward(values, forward.zero_state(batch))
            back, _ = backward(_reverse(values, lengths), backward.zero_state(batch))
            last = tf.maximum(lengths - 1, 0)
            ends = [tf.gather(tf.transpose(side, [1, 0, 2]), last, batch_dims=1) for side in (ahead, back)]
            outputs = tf.concat([ahead, _reverse(back, lengths)], axis=2)
            outputs = outputs + values if self.sizes.residual and n > 0 else outputs
            values = locked_dropout(outputs, self.sizes.dropout, noise, self._site + n)
        return values, tf.concat(ends, axis=1)


def _reverse(values: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    return tf.reverse_sequence(values, lengths, seq_axis=0, batch_axis=1)
