"""Samples of audio files of any kind, rate and number of channels, as one channel at one rate, block by block.

The library that reads the files runs in a child process with limits (see `lstmlm.processes.child`): a damaged or
hostile file costs itself, not the job.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from lstmlm.processes.child import ChildDied, Children

_READERS = Children("lstmlm.audio.decode_child")

Whole = npt.NDArray[np.int16]
"""Samples of one channel, int16 [samples]."""


class AudioError(ValueError):
    """Audio that cannot be used; the message says why, without the name of the file."""


def decoded(audio: str | bytes, rate: int, channel: int | None = None) -> Generator[Whole, None, None]:
    """Yields the samples of an audio file, in blocks; memory does not grow with the length of the file.

    Args:
        audio: The path of a local file, or the content of one.
        rate: Samples per second that are wanted; others are resampled (soxr, high quality).
        channel: The channel to take, counted from 0; None: the mean of all.

    Raises:
        AudioError: It is not audio, is damaged or cut off, has no samples, or fewer channels.
    """
    path = os.path.abspath(audio) if isinstance(audio, str) else None
    with contextlib.ExitStack() as stack:
        try:
            child = stack.enter_context(_READERS.child())
            child.busy = True
            child.send(json.dumps({"path": path, "rate": rate, "channel": channel}).encode())
            if isinstance(audio, bytes):
                child.send(audio)
            while "samples" in (answer := json.loads(child.receive())):
                yield np.frombuffer(child.receive(), "<i2")
            child.busy = False
        except ChildDied as death:
            raise AudioError(f"damaged audio: {death}") from death
        if "error" in answer:
            raise AudioError(answer["error"])


def whole(audio: str | bytes, rate: int, channel: int | None = None, longest: float | None = None) -> Whole:
    """Returns all samples of an audio file; see `decoded`.

    Args:
        audio: See `decoded`.
        rate: See `decoded`.
        channel: See `decoded`.
        longest: Seconds that it may have at most.

    Raises:
        AudioError: As `decoded`, or it is longer.
    """
    parts: list[Whole] = []
    count = 0
    with contextlib.closing(decoded(audio, rate, channel)) as blocks:
        for block in blocks:
            parts.append(block)
            count += len(block)
            if longest is not None and count > longest * rate:
                raise AudioError(f"it is longer than {longest:g} s")
    return np.concatenate(parts)
