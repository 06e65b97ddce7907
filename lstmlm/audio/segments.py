"""Cuts long recordings at their quietest places, so that memory does not grow with their length."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from lstmlm.audio.decode import Whole

LEAST_SECONDS, MOST_SECONDS = 10.0, 20.0
"""A recording of more than the second is cut somewhere between the two."""

_STEP_SECONDS, _PAUSE_STEPS = 0.02, 10
"""Energies are of steps of 20 ms; a pause is looked for over 10 of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A part of a recording.

    Attributes:
        start: Its first sample, counted from that of the recording.
        samples: int16 [samples].
        last: Whether the recording ends with it.
    """

    start: int
    samples: Whole
    last: bool


def segments(blocks: Iterable[Whole], rate: int) -> Iterator[Segment]:
    """Yields the segments of a recording, in order; joined they are the recording.

    Args:
        blocks: Its samples.
        rate: Samples per second.
    """
    most = int(MOST_SECONDS * rate)
    start = size = 0
    held: list[Whole] = []
    for block in blocks:
        held.append(block)
        size += len(block)
        if size <= most:
            continue
        rest = np.concatenate(held)
        while len(rest) > most:
            cut = quietest(rest[:most], rate)
            yield Segment(start, rest[:cut], last=False)
            start, rest = start + cut, rest[cut:]
        held, size = [rest.copy()], len(rest)
    if held:
        yield Segment(start, np.concatenate(held), last=True)


def quietest(samples: Whole, rate: int) -> int:
    """Returns the middle of the quietest 0.2 s that begin after `LEAST_SECONDS`, as an index of the samples.

    Args:
        samples: int16, `MOST_SECONDS` of them.
        rate: Samples per second.
    """
    step = int(_STEP_SECONDS * rate)
    first = int(LEAST_SECONDS * rate)
    count = (len(samples) - first) // step
    steps = samples[first : first + count * step].reshape(count, step).astype(np.float64)
    energies = ((steps - steps.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    sums = np.convolve(energies, np.ones(_PAUSE_STEPS), "valid")
    return first + (int(np.argmin(sums)) + _PAUSE_STEPS // 2) * step
