"""Where words begin and end, by the energy around the places where they were recognised.

CTC says that a word was said about here, and not from when to when: its outputs are spikes (Graves et al. 2006). So two
neighbours are separated at the quietest place between them, and each reaches as far as it is heard above the noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.audio.decode import Whole
from lstmlm.audio.settings import SHIFT_SECONDS

_WINDOW = 2
"""Energies are of so many times `SHIFT_SECONDS`."""
_NOISE = 10.0
"""Percentile of the energies that is taken for the level of the noise."""
HEARD = 0.2
"""A word is heard from this share of the way on, in dB, from the level of the noise to its own peak."""
GAP_SECONDS = 0.12
"""A word may be silent for so long within, as before a stop consonant."""


def energies(samples: Whole, rate: int) -> npt.NDArray[np.float64]:
    """Returns the energy every 10 ms, in dB, float64 [samples / rate / 0.01, rounded up]."""
    step = round(rate * SHIFT_SECONDS)
    count = -(-len(samples) // step)
    padded = np.zeros((count + _WINDOW) * step)
    padded[: len(samples)] = samples
    squares = np.add.reduceat(padded**2, np.arange(0, len(padded), step))
    sums = np.convolve(squares, np.ones(_WINDOW), "valid")[:count]
    return 10.0 * np.log10(sums / (_WINDOW * step) + 1.0)


def boundaries(levels: npt.NDArray[np.float64], places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns where words begin and end.

    Args:
        levels: The energies of the recording.
        places: For each word, in order, the places among the energies where it was recognised: first, and after last.

    Returns:
        For each word its first place, and the one after its last. Words do not overlap.
    """
    if not len(levels) or not places:
        return list(places)
    smooth = np.convolve(np.pad(levels, 1, mode="edge"), np.ones(3) / 3, "valid")
    floor, gap = float(np.percentile(levels, _NOISE)), round(GAP_SECONDS / SHIFT_SECONDS)
    inner = [(max(0, min(a, len(levels) - 1)), max(1, min(b, len(levels)))) for a, b in places]
    cuts = [0]
    for (_, end), (start, _) in itertools.pairwise(inner):
        low, high = min(end - 1, start), max(end, start) + 1
        cuts.append(low + int(np.argmin(smooth[low:high])))
    cuts.append(len(levels))
    regions = zip(itertools.pairwise(cuts), inner, strict=True)
    found: list[tuple[int, int]] = []
    for region, place in regions:
        start, end = _heard(smooth, floor, gap, *region, *place)
        start = max(start, found[-1][1]) if found else start
        found.append((start, max(start, end)))
    return found


def _heard(
    smooth: npt.NDArray[np.float64], floor: float, gap: int, low: int, high: int, first: int, last: int
) -> tuple[int, int]:
    """Returns the part of a word's own region [low, high) in which it is heard, around where it was recognised."""
    first, last = max(low, min(first, high - 1)), max(low + 1, min(last, high))
    near = smooth[max(low, first - 20) : min(high, last + 20)]
    least = floor + HEARD * (float(near.max(initial=floor)) - floor)
    heard = np.flatnonzero(smooth[low:high] >= least) + low
    if len(heard) and not ((heard >= first) & (heard < last)).any():  # recognised in a pause: the word is next to it
        first = int(heard[np.argmin(np.abs(heard - first))])
        last = first + 1
    start, end = first, last
    for place in heard[heard < first][::-1].tolist():
        if start - place > gap:
            break
        start = place
    for place in heard[heard >= last].tolist():
        if place - end >= gap:
            break
        end = place + 1
    return start, end
