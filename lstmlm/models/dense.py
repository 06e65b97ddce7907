"""A dense layer."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.lstm import glorot, product


class Dense(tf.Module):
    """y = x W + b, float32 [rows, width] -> [rows, units]."""

    def __init__(self, width: int, units: int, generator: tf.random.Generator, *, precision: tf.DType, name: str):
        super().__init__(name=name)
        self.precision = precision
        self.kernel = tf.Variable(glorot(generator, width, units), name=f"{name}/kernel")
        self.bias = tf.Variable(tf.zeros(units), name=f"{name}/bias")

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Applies the layer to float32 [rows, width]."""
        return product(values, self.kernel, self.precision, bias=self.bias)
