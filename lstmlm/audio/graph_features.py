"""The log-mel features of `lstmlm.audio.features` as TensorFlow operations, so that a SavedModel takes samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.audio.settings import LOWEST_HERTZ, PREEMPHASIS, SCALE, Features

_EPSILON = float(np.finfo(np.float32).eps)


def log_mel(samples: tf.Tensor, form: Features) -> tf.Tensor:
    """Computes log-mel energies.

    Args:
        samples: float32 [rows, samples] between -1 and 1.
        form: What to compute.

    Returns:
        float32 [rows, frames, mels]; of a shorter row, the first `Features.frames` are its own.
    """
    frames = tf.signal.frame(samples * SCALE, form.frame, form.shift)
    frames = frames - tf.reduce_mean(frames, axis=2, keepdims=True)
    before = tf.concat([frames[:, :, :1], frames[:, :, :-1]], axis=2)
    frames = (frames - PREEMPHASIS * before) * tf.constant(povey_window(form.frame))
    spectrum = tf.signal.rfft(frames, [form.transform])
    power = tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2
    # As a matrix of [rows * frames]: one product, whose rows do not depend on each other.
    energies = tf.matmul(tf.reshape(power, [-1, form.transform // 2 + 1]), tf.constant(mel_weights(form)))
    energies = tf.reshape(energies, [tf.shape(samples)[0], -1, form.mels])
    return tf.math.log(tf.maximum(energies, _EPSILON))


def frame_counts(samples: tf.Tensor, form: Features) -> tf.Tensor:
    """Returns `Features.frames` of each count, int32 [rows]."""
    return tf.where(samples < form.frame, 0, 1 + (samples - form.frame) // form.shift)


def povey_window(size: int) -> npt.NDArray[np.float32]:
    """Returns Kaldi's window: a Hann window to the power of 0.85, float32 [size]."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    return (hann**0.85).astype(np.float32)


def mel_weights(form: Features) -> npt.NDArray[np.float32]:
    """Returns the weight of each frequency in each band, float32 [transform / 2 + 1, mels].

    The bands are triangles on the mel scale 1127 ln(1 + f / 700), as many and as wide as fit between the lowest
    frequency and half the rate.
    """
    low, high = _mel(np.float64(LOWEST_HERTZ)), _mel(np.float64(form.rate / 2))
    step = (high - low) / (form.mels + 1)
    centres = low + step * np.arange(1, form.mels + 1)
    places = _mel(np.arange(form.transform // 2) * form.rate / form.transform)
    rising = (places[:, None] - (centres - step)) / step
    falling = ((centres + step) - places[:, None]) / step
    weights = np.maximum(0.0, np.minimum(rising, falling))
    # The frequency of half the rate is in no band.
    return np.concatenate([weights, np.zeros([1, form.mels])]).astype(np.float32)


def _mel(hertz: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))
