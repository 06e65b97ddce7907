"""The optimizers: AdamW (Loshchilov and Hutter 2019) and plain SGD, both with clipping by the global norm."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence

import tensorflow as tf

from lstmlm.recipe.sections.training import Training

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Optimizer(tf.Module, abc.ABC):
    """Updates variables by their gradients.

    Args:
        variables: The model's variables by name, in a fixed order.
        clip: Largest global norm of the gradient.
        weight_decay: Share of every matrix that is taken off it, times the learning rate; vectors do not decay.
    """

    def __init__(self, variables: Mapping[str, tf.Variable], clip: float, weight_decay: float = 0.0) -> None:
        super().__init__(name="optimizer")
        self.clip, self.weight_decay = clip, weight_decay
        self.targets = list(variables.values())

    def state(self, names: Sequence[str]) -> dict[str, tf.Variable]:
        """Returns what a checkpoint must hold, under names derived from the variables' names."""
        return {}

    def apply(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Updates the variables.

        Args:
            gradients: One for each variable.
            rate: Learning rate, float32 scalar.
            step: Number of this step from 1, float32 scalar.

        Returns:
            The global norm of the gradients before clipping, float32 scalar.
        """
        norm = tf.linalg.global_norm(gradients)
        factor = self.clip / norm
        # Most steps are not clipped, and do without a pass over all gradients.
        clipped = tf.cond(norm > self.clip, lambda: [factor * part for part in gradients], lambda: list(gradients))
        if self.weight_decay:
            for variable in self.targets:
                if variable.shape.rank >= 2:
                    variable.assign((1.0 - rate * self.weight_decay) * variable)
        self._update(clipped, rate, step)
        return norm

    @abc.abstractmethod
    def _update(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> None:
        """Takes the step itself."""


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015) with its two moments of every variable; with weight decay it is AdamW."""

    def __init__(self, variables: Mapping[str, tf.Variable], clip: float, weight_decay: float = 0.0) -> None:
        super().__init__(variables, clip, weight_decay)
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.targets]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.targets]

    def state(self, names: Sequence[str]) -> dict[str, tf.Variable]:
        """See `Optimizer.state`: the moments."""
        moments = {f"adam/first/{name}": moment for name, moment in zip(names, self.first, strict=True)}
        return moments | {f"adam/second/{name}": moment for name, moment in zip(names, self.second, strict=True)}

    def _update(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> None:
        power_1, power_2 = tf.pow(BETA_1, step), tf.pow(BETA_2, step)
        for variable, m, v, gradient in zip(self.targets, self.first, self.second, gradients, strict=True):
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
                grad=gradient,
                use_locking=False,
                use_nesterov=False,
            )


class SGD(Optimizer):
    """Gradient descent without momentum, as word-level language models are often trained."""

    def _update(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> None:
        for variable, gradient in zip(self.targets, gradients, strict=True):
            variable.assign_sub(rate * gradient)


def make_optimizer(variables: Mapping[str, tf.Variable], training: Training) -> Optimizer:
    """Returns the optimizer that the recipe's `training` section asks for."""
    kind = Adam if training.optimizer == "adamw" else SGD
    return kind(variables, training.clip, training.weight_decay)
