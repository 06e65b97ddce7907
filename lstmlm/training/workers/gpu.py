"""GPU settings of a training worker."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models.lstm import LSTM


def use_gpu(model: tf.Module) -> None:
    """Has cuDNN run the LSTM layers of a model, in training and in evaluations on the way.

    The weights stay what they are: a checkpoint or an export of them serves on any machine.

    Args:
        model: The model, before any function of it is traced.

    Raises:
        UserError: TensorFlow finds no GPU.
    """
    if not tf.config.list_physical_devices("GPU"):
        hint = "Install tensorflow[and-cuda] in the workers' environment, or set it to false"
        raise UserError("TensorFlow finds no GPU in the worker", where="training.use_gpu", hint=hint)
    for part in model.submodules:
        if isinstance(part, LSTM):
            part.cudnn = True
