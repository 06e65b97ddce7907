"""Words reach as far as they are heard, and do not overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.audio.boundaries import boundaries, energies
from tests.audio.sounds import tone

RATE = 8000


def recording(spans: list[tuple[float, float]], seconds: float) -> np.ndarray:
    """Returns tones at the given seconds, in faint noise."""
    samples = np.random.default_rng(1).normal(0, 0.0005, int(seconds * RATE))
    for start, end in spans:
        sound = tone(500, end - start, RATE)
        samples[int(start * RATE) : int(start * RATE) + len(sound)] += sound
    return (samples * 32767).astype(np.int16)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_they_are_found_wherever_in_the_word_it_was_recognised(share: float) -> None:
    spans = [(0.2, 0.6), (0.7, 1.0), (1.05, 1.5)]
    places = [(place := int(100 * (start + share * (end - start))), place + 3) for start, end in spans]
    found = boundaries(energies(recording(spans, 1.8), RATE), places)
    for (first, last), (start, end) in zip(found, spans, strict=True):
        # The tones fade in and out: what is heard of them is a little less.
        assert start - 0.02 <= first / 100 <= start + 0.06
        assert end - 0.06 <= last / 100 <= end + 0.02


def test_a_word_that_was_recognised_in_a_pause_is_next_to_it() -> None:
    spans = [(0.2, 0.5), (0.9, 1.2)]
    found = boundaries(energies(recording(spans, 1.5), RATE), [(56, 57), (85, 86)])
    assert [first for first, _ in found] == pytest.approx([20, 90], abs=6)
    assert [last for _, last in found] == pytest.approx([50, 120], abs=6)


@given(st.lists(st.integers(0, 120), max_size=6), st.integers(1, 100))
def test_they_are_ordered_and_within_the_recording(starts: list[int], size: int) -> None:
    levels = np.random.default_rng(size).normal(40, 10, size)
    found = boundaries(levels, [(start, start + 2) for start in sorted(starts)])
    flat = [place for span in found for place in span]
    assert flat == sorted(flat)
    assert all(0 <= place <= size for place in flat)


def test_silence_has_energies_too() -> None:
    assert energies(np.zeros(801, np.int16), RATE).tolist() == [0.0] * 11
    assert boundaries(np.zeros(0), []) == []
