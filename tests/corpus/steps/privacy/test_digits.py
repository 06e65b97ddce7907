"""Windows around numbers."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.steps.privacy.kinds.digits import digit_windows, is_whole_number


@given(st.text(alphabet="0123456789 -.ab", max_size=400))
def test_windows_are_apart_in_order_and_hold_every_long_number(text: str) -> None:
    windows = digit_windows(text)
    assert windows == sorted(windows)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(windows))
    for number in re.finditer(r"\d{6,}", text):
        assert any(start <= number.start() and number.end() <= end for start, end in windows)


def test_prose_has_none() -> None:
    assert digit_windows("In 1999 there were 12 of them, 3.5% more than in 1998.") == []


def test_is_whole_number() -> None:
    text = "a12, 1-12 12 (12) x"
    single = [match.start() for match in re.finditer("12", text) if is_whole_number(text, *match.span())]
    assert single == [10, 14]
