"""Long recordings are cut in their pauses, and nothing of them is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.audio.segments import LEAST_SECONDS, MOST_SECONDS, segments
from tests.audio.sounds import noise

RATE = 1000


@given(st.integers(1, 70_000), st.integers(100, 30_000))
def test_segments_join_to_the_recording(size: int, block: int) -> None:
    samples = noise(size / RATE, RATE)[:size]
    found = list(segments((samples[at : at + block] for at in range(0, size, block)), RATE))
    np.testing.assert_array_equal(np.concatenate([one.samples for one in found]), samples)
    starts = np.cumsum([0, *(len(one.samples) for one in found)])[:-1]
    assert [one.start for one in found] == starts.tolist()
    assert [one.last for one in found] == [False] * (len(found) - 1) + [True]
    assert all(LEAST_SECONDS * RATE <= len(one.samples) <= MOST_SECONDS * RATE for one in found[:-1])
    assert len(found[-1].samples) <= MOST_SECONDS * RATE


def test_a_segment_ends_in_the_middle_of_the_pause() -> None:
    samples = noise(45, RATE)
    samples[13_000:13_400] //= 50
    samples[16_000:16_400] //= 10  # another pause, which is not as quiet
    first = next(iter(segments([samples], RATE)))
    assert 13_080 <= len(first.samples) <= 13_320


def test_a_recording_that_is_not_long_stays_whole() -> None:
    samples = noise(MOST_SECONDS, RATE)
    assert [len(one.samples) for one in segments([samples], RATE)] == [len(samples)]
    assert list(segments([], RATE)) == []
