"""Overlapping spans are resolved by kind, length and position."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.steps.privacy.spans import KINDS, PiiSpan, without_overlaps

SPANS = st.builds(
    lambda start, length, kind: PiiSpan(start, start + length, kind),
    st.integers(0, 50),
    st.integers(1, 20),
    st.sampled_from(KINDS),
)


def test_the_more_specific_kind_wins() -> None:
    assert without_overlaps([PiiSpan(0, 20, "phone"), PiiSpan(2, 18, "card")], "x" * 20) == [PiiSpan(2, 18, "card")]


def test_of_one_kind_the_longest_then_the_first_wins() -> None:
    assert without_overlaps([PiiSpan(0, 7, "phone"), PiiSpan(3, 12, "phone")], "x" * 20) == [PiiSpan(3, 12, "phone")]
    assert without_overlaps([PiiSpan(3, 6, "phone"), PiiSpan(1, 4, "phone")], "x" * 20) == [PiiSpan(1, 4, "phone")]


def test_what_was_replaced_before_is_left_unchanged() -> None:
    text = "<PHONE-12345678> user-0a1b2c3d@example.invalid <EMAIL>"
    assert without_overlaps([PiiSpan(7, 15, "phone"), PiiSpan(17, 46, "email"), PiiSpan(48, 53, "name")], text) == []


@given(st.lists(SPANS, max_size=12))
def test_apart_in_order_and_nothing_free_is_left_out(spans: list[PiiSpan]) -> None:
    kept = without_overlaps(spans, "x" * 80)
    assert all(left.end <= right.start for left, right in itertools.pairwise(kept))
    assert set(kept) <= set(spans)
    for span in spans:
        assert any(span.start < other.end and other.start < span.end for other in kept)
    assert without_overlaps(reversed(spans), "x" * 80) == kept
