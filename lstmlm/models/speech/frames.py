"""What a network of speech makes of log-mel frames before its first layer: normalisation and stacking."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.audio.normalise import LEAST_DEVIATION


def inside(lengths: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Returns 1 for each of a row's own frames and 0 behind them, float32 [rows, time, 1]."""
    return tf.sequence_mask(lengths, time, tf.float32)[:, :, None]


def normalised(frames: tf.Tensor, lengths: tf.Tensor, per_band: bool) -> tf.Tensor:
    """Brings each recording, or each band of it, to mean 0 and variance 1, so that its level does not matter.

    Args:
        frames: float32 [rows, time, mels].
        lengths: Frames of each row, int32 [rows].
        per_band: Each band by itself: then neither does the microphone matter, nor, in a short recording, the sound.

    Returns:
        float32 of the same shape, 0 behind the end of a row.
    """
    own = inside(lengths, tf.shape(frames)[1])
    axes, each = ([1], 1) if per_band else ([1, 2], frames.shape[2])
    count = tf.maximum(tf.cast(lengths, tf.float32), 1.0)[:, None, None] * float(each)
    centred = (frames - tf.reduce_sum(frames * own, axis=axes, keepdims=True) / count) * own
    deviation = tf.sqrt(tf.reduce_sum(centred * centred, axis=axes, keepdims=True) / count)
    return centred / tf.maximum(deviation, LEAST_DEVIATION)


def stacked(frames: tf.Tensor, lengths: tf.Tensor, stack: int, stride: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Joins neighbouring frames and takes every `stride`-th of these (Sak et al. 2015): fewer steps, each with more.

    Args:
        frames: float32 [rows, time, mels], 0 behind the end of a row.
        lengths: Frames of each row, int32 [rows].
        stack: Frames that are joined.
        stride: Frames from one step to the next.

    Returns:
        float32 [rows, ceil(time / stride), stack * mels], and the steps of each row, int32 [rows].
    """
    time = tf.shape(frames)[1]
    steps = -(-time // stride)
    padded = tf.pad(frames, [[0, 0], [0, (steps - 1) * stride + stack - time], [0, 0]]) if stack >= stride else frames
    windows = [padded[:, place : place + (steps - 1) * stride + 1 : stride] for place in range(stack)]
    return tf.concat(windows, axis=2), -(-lengths // stride)
