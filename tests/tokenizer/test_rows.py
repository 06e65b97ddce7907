"""Rows of token ids in one array."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.tokenizer.rows import TokenRows

lists = st.lists(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=9), max_size=6)


def joined(parts: list[list[int]]) -> TokenRows:
    return TokenRows.joined([np.array(part, np.int32) for part in parts])


@given(parts=lists)
def test_parts_come_back(parts: list[list[int]]) -> None:
    rows = joined(parts)
    assert rows.to_lists() == parts
    assert len(rows) == len(parts)
    assert rows.tokens == sum(map(len, parts))


@given(parts=lists, limit=st.integers(1, 9))
def test_a_cut_row_keeps_its_last_id(parts: list[list[int]], limit: int) -> None:
    rows = joined(parts)
    found, cut = rows.cut(limit)
    assert found.to_lists() == [part if len(part) <= limit else [*part[: limit - 1], part[-1]] for part in parts]
    assert cut == sum(len(part) > limit for part in parts)
    assert rows.to_lists() == parts


@given(parts=lists, times=st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_rows_are_repeated_in_place(parts: list[list[int]], times: list[int]) -> None:
    counts = times[: len(parts)]
    expected = [part for part, count in zip(parts, counts, strict=True) for _ in range(count)]
    assert joined(parts).repeated(counts).to_lists() == expected
