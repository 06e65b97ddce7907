"""Adam (Kingma and Ba 2015) with clipping by the global norm, over one flat gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam(tf.Module):
    """The optimizer and its two moments of every variable.

    Args:
        variables: The model's variables by name, in a fixed order.
        clip: Largest global norm of the gradient.
    """

    def __init__(self, variables: Mapping[str, tf.Variable], clip: float) -> None:
        super().__init__(name="adam")
        self.clip = clip
        self.targets = list(variables.values())
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.targets]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.targets]

    def state(self, names: Sequence[str]) -> dict[str, tf.Variable]:
        """Returns the moments under names derived from the variables' names."""
        moments = {f"adam/first/{name}": moment for name, moment in zip(names, self.first, strict=True)}
        return moments | {f"adam/second/{name}": moment for name, moment in zip(names, self.second, strict=True)}

    def apply(self, flat: tf.Tensor, rate: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Updates the variables.

        Args:
            flat: Gradients of all variables side by side, float32 [parameters].
            rate: Learning rate, float32 scalar.
            step: Number of this step from 1, float32 scalar.

        Returns:
            The global norm before clipping, float32 scalar.
        """
        norm = tf.norm(flat)
        flat = flat * (self.clip / tf.maximum(norm, self.clip))
        parts = tf.split(flat, [variable.shape.num_elements() for variable in self.targets])
        power_1, power_2 = tf.pow(BETA_1, step), tf.pow(BETA_2, step)
        for variable, m, v, part in zip(self.targets, self.first, self.second, parts, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=tf.reshape(part, variable.shape),
                use_locking=False,
                use_nesterov=False,
            )
        return norm
