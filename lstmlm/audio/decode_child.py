"""Decodes audio files for `lstmlm.audio.decode`, in a process of its own: libsndfile reads what anybody wrote.

A request is JSON, followed by the file itself where it has no path. Answers are JSON; after one with `samples` comes a
block of them: one channel of 16-bit samples at the rate that was asked for.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from lstmlm.audio.headers import check_header
from lstmlm.audio.mpeg import check_frames
from lstmlm.processes.child import MEMORY_BYTES, Parent, serving

_BLOCK_VALUES = 1 << 17
"""Samples of all channels together that are decoded at once."""
LEAST_RATE, GREATEST_RATE = 1_000, 768_000
"""Samples per second that a file may have."""


_MPEG_PADDING = 4 * 1152


class Refused(Exception):
    """A file that cannot be used; the message says why."""


def _blocks(file: soundfile.SoundFile, channel: int | None, expected: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yields blocks of one channel, or of the mean of all; `expected` samples at least.

    Raises:
        Refused: The file ends before its end, has no samples, or samples that are no numbers.
    """
    if channel is not None and channel >= file.channels:
        raise Refused(f"it has {file.channels} channels, and task_options.channel is {channel}")
    count = 0
    size = max(1, _BLOCK_VALUES // file.channels)
    while len(block := file.read(size, dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            raise Refused("it has samples that are not finite numbers")
        count += len(block)
        yield block[:, channel] if channel is not None else block.mean(axis=1, dtype=np.float32)
    if not count:
        raise Refused("it has no samples")
    if count < expected:
        raise Refused(f"it ends early: {count} of {expected} samples could be read")


def _resampled(blocks: Iterator[npt.NDArray[np.float32]], rate: int, wanted: int) -> Iterator[npt.NDArray[np.float32]]:
    if rate == wanted:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _opened(parent: Parent, path: str | None) -> BinaryIO:
    return io.BytesIO(parent.receive()) if path is None else Path(path).open("rb")


def _answer(parent: Parent, request: dict[str, Any]) -> None:
    with _opened(parent, request["path"]) as stream:
        frames = check_frames(stream) if check_header(stream) else None
        with soundfile.SoundFile(stream) as file:
            if not LEAST_RATE <= file.samplerate <= GREATEST_RATE:
                raise Refused(f"it has {file.samplerate} samples per second")
            # An encoder's delay and padding, of a few frames, are left out of an MP3 file.
            expected = file.frames if frames is None else frames - _MPEG_PADDING
            blocks = _blocks(file, request["channel"], expected)
            for block in _resampled(blocks, file.samplerate, request["rate"]):
                whole = np.clip(np.rint(block * 32768), -32768, 32767).astype("<i2")
                parent.send(json.dumps({"samples": len(whole)}).encode())
                parent.send(memoryview(whole.tobytes()))


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"it takes more than {MEMORY_BYTES >> 30} GB of memory to read"
    if isinstance(error, soundfile.LibsndfileError):
        text = " ".join(error.error_string.split()).rstrip(".")
        return f"damaged, or of a kind that is not read: {text}"
    return " ".join(str(error).split())[:300] or type(error).__name__


def main() -> None:
    """Answers until the parent hangs up."""
    assert math.isfinite(soxr.resample(np.zeros(160, np.float32), 16000, 8000).sum())  # loaded before the limit
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where the MP3 library complains about each damaged frame
    parent = serving(sys.argv[1])
    while True:
        request = json.loads(parent.receive())
        answer: dict[str, Any] = {"done": True}
        try:
            _answer(parent, request)
        except Exception as error:  # of a library that reads what anybody wrote
            answer = {"error": _reason(error)}
        parent.send(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
