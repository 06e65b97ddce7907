"""Normalisation and stacking of frames in NumPy, as `lstmlm.models.speech.frames` does it in a graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]
"""float32 [frames, mels]."""

LEAST_DEVIATION = 0.5
"""What varies less (in natural logarithms) is not blown up to the variation of speech: it holds no speech."""


def normalised(frames: Frames, per_band: bool) -> Frames:
    """Brings a recording, or each band of it, to mean 0 and variance 1."""
    if not len(frames):
        return frames
    axes = (0,) if per_band else (0, 1)
    centred = frames - frames.mean(axis=axes, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis=axes, keepdims=True))
    return centred / np.maximum(deviation, np.float32(LEAST_DEVIATION))


def stacked(frames: Frames, stack: int, stride: int) -> Frames:
    """Joins `stack` neighbouring frames at every `stride`-th: float32 [ceil(frames / stride), stack * mels]."""
    steps = -(-len(frames) // stride)
    padded = np.pad(frames, [(0, max(0, (steps - 1) * stride + stack - len(frames))), (0, 0)])
    windows = [padded[place : place + (steps - 1) * stride + 1 : stride] for place in range(stack)]
    return np.concatenate(windows, axis=1) if steps else np.zeros([0, stack * frames.shape[1]], np.float32)
