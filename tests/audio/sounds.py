"""Audio files made for tests."""

from __future__ import annotations

import io

import numpy as np
import soundfile


def tone(hertz: float, seconds: float, rate: int, level: float = 0.3) -> np.ndarray:
    """Returns a tone that fades in and out, float32 [samples]."""
    time = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time) * np.hanning(len(time))).astype(np.float32)


def noise(seconds: float, rate: int, seed: int = 1) -> np.ndarray:
    """Returns noise, int16 [samples]."""
    return np.random.default_rng(seed).normal(0, 3000, int(seconds * rate)).astype(np.int16)


def file_of(samples: np.ndarray, rate: int, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """Returns the content of an audio file."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()
