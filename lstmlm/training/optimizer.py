"""The optimizers: AdamW (Loshchilov and Hutter 2019) and plain SGD, both with clipping by the global norm."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence

import tensorflow as tf

from lstmlm.recipe.sections.training import TrainingSection
from lstmlm.training.pace import FULL, Pace

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Optimizer(tf.Module, abc.ABC):
    """Updates variables by their gradients.

    Args:
        variables: The model's variables by name, in a fixed order.
        clip: Largest global norm of the gradient.
        weight_decay: Share of every matrix that is taken off it, times the learning rate; vectors do not decay.
        paces: How fast variables learn that do not learn like the others, by name.
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        clip: float,
        weight_decay: float = 0.0,
        paces: Mapping[str, Pace] | None = None,
    ) -> None:
        super().__init__(name="optimizer")
        self.clip, self.weight_decay = clip, weight_decay
        self.targets = list(variables.values())
        self._paces = [(paces or {}).get(name, FULL) for name in variables]

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
            The global norm of the gradients before clipping, float32 scalar; of what learns in this step.
        """
        gradients = [self._begun(g, pace, step) for g, pace in zip(gradients, self._paces, strict=True)]
        norm = tf.linalg.global_norm(gradients)
        factor = self.clip / norm
        # Most steps are not clipped, and do without a pass over all gradients.
        clipped = tf.cond(norm > self.clip, lambda: [factor * part for part in gradients], lambda: list(gradients))
        if self.weight_decay:
            for variable, pace in zip(self.targets, self._paces, strict=True):
                if variable.shape.rank >= 2:
                    own = self._begun(_slowed(rate, pace), pace, step)
                    variable.assign((1.0 - own * self.weight_decay) * variable)
        self._update(clipped, rate, step)
        return norm

    @staticmethod
    def _begun(value: tf.Tensor, pace: Pace, step: tf.Tensor) -> tf.Tensor:
        """Returns a value, or 0 before the variable begins to learn."""
        return tf.where(step > float(pace.after), value, tf.zeros_like(value)) if pace.after else value

    @abc.abstractmethod
    def _update(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> None:
        """Takes the step itself."""


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015) with its two moments of every variable; with weight decay it is AdamW.

    The moments of a variable are corrected for their start by the steps since it began to learn.
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        clip: float,
        weight_decay: float = 0.0,
        paces: Mapping[str, Pace] | None = None,
    ) -> None:
        super().__init__(variables, clip, weight_decay, paces)
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.targets]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.targets]

    def state(self, names: Sequence[str]) -> dict[str, tf.Variable]:
        """See `Optimizer.state`: the moments."""
        moments = {f"adam/first/{name}": moment for name, moment in zip(names, self.first, strict=True)}
        return moments | {f"adam/second/{name}": moment for name, moment in zip(names, self.second, strict=True)}

    def _update(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor, step: tf.Tensor) -> None:
        powers = {0: (tf.pow(BETA_1, step), tf.pow(BETA_2, step))}
        for after in sorted({pace.after for pace in self._paces} - {0}):
            own = tf.maximum(step - float(after), 1.0)
            powers[after] = tf.pow(BETA_1, own), tf.pow(BETA_2, own)
        slots = zip(self.targets, self.first, self.second, gradients, self._paces, strict=True)
        for variable, m, v, gradient, pace in slots:
            power_1, power_2 = powers[pace.after]
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=_slowed(rate, pace),
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
        for variable, gradient, pace in zip(self.targets, gradients, self._paces, strict=True):
            variable.assign_sub(_slowed(rate, pace) * gradient)


def _slowed(rate: tf.Tensor, pace: Pace) -> tf.Tensor:
    """Returns the learning rate of a variable."""
    return rate if pace.factor == 1.0 else rate * pace.factor


def make_optimizer(
    variables: Mapping[str, tf.Variable], training: TrainingSection, paces: Mapping[str, Pace] | None = None
) -> Optimizer:
    """Returns the optimizer that the recipe's `training` section asks for; see `Optimizer` for the arguments."""
    kind = Adam if training.optimizer == "adamw" else SGD
    return kind(variables, training.clip, training.weight_decay, paces)
