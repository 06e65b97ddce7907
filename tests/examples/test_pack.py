"""Windows of a stream, and pairs."""

from __future__ import annotations

import collections
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.examples.pack import cut_pairs, pack_stream
from lstmlm.tokenizer.rows import IdArray, TokenRows

documents = st.lists(st.lists(st.integers(4, 99), max_size=12), max_size=8)


def array(*ids: int) -> IdArray:
    return np.array(ids, np.int32)


def rows(*lists: list[int]) -> TokenRows:
    return TokenRows.joined([array(*ids) for ids in lists])


@given(documents=documents, window=st.integers(1, 7), block=st.integers(1, 3))
def test_every_id_is_a_target_once(documents: list[list[int]], window: int, block: int) -> None:
    stream = [3] + [token for document in documents for token in [*document, 3]]
    closed = [array(*document, 3) for document in documents]
    arrays = [np.concatenate(closed[start : start + block]) for start in range(0, len(closed), block)]
    windows = [window for found in pack_stream(arrays, window, 3) for window in found.to_lists()]
    assert [token for w in windows for token in w[1:]] == stream[1:]
    assert [token for w in windows for token in w[:-1]] == stream[:-1]
    assert all(len(w) == window + 1 for w in windows[:-1])
    assert all(2 <= len(w) <= window + 1 for w in windows)


def test_no_documents_give_no_window() -> None:
    assert list(pack_stream([], 4, 3)) == []


def test_documents_are_read_as_windows_are_taken() -> None:
    def forever() -> Iterator[IdArray]:
        while True:
            yield array(5, 6, 3)

    windows = pack_stream(forever(), 4, 3)
    assert next(windows).to_lists() == [[3, 5, 6, 3, 5]]
    assert next(windows).to_lists() == [[5, 6, 3, 5, 6]]
    assert all(len(next(windows).ids) < 8 for _ in range(50))


@pytest.mark.parametrize(
    ("source", "target", "expected", "counted"),
    [
        ([5], [], ([5, 3], [3]), (0, 0)),
        ([5, 6], [7], ([5, 6, 3], [7, 3]), (0, 0)),
        ([5, 6, 7], [8, 9], ([5, 6, 3], [8, 3]), (1, 1)),
    ],
)
def test_pairs_stay_closed_and_cuts_are_counted(
    source: list[int], target: list[int], expected: tuple[list[int], list[int]], counted: tuple[int, int]
) -> None:
    counts: collections.Counter[str] = collections.Counter()
    found = cut_pairs(rows([*source, 3]), rows([*target, 3]), [1], 3, 2, counts)
    assert (found["source"].to_lists(), found["target"].to_lists()) == ([expected[0]], [expected[1]])
    assert (counts["truncated_source"], counts["truncated_target"]) == counted


def test_a_source_occurs_once_for_every_target() -> None:
    counts: collections.Counter[str] = collections.Counter()
    sources = rows([5, 6, 3], [7, 3], [8, 9, 9, 3])
    targets = rows([10, 3], [11, 3], [12, 3])
    found = cut_pairs(sources, targets, [2, 0, 1], 3, 2, counts)
    assert found["source"].to_lists() == [[5, 6, 3], [5, 6, 3], [8, 9, 3]]
    assert found["target"].to_lists() == [[10, 3], [11, 3], [12, 3]]
    assert counts["truncated_source"] == 1
    assert sources.to_lists()[2] == [8, 9, 9, 3]  # what was given is as it was
