"""Windows of a stream, and pairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.examples.pack import encode_pair, pack_stream

documents = st.lists(st.lists(st.integers(4, 99), max_size=12), max_size=8)


@given(documents=documents, window=st.integers(1, 7))
def test_every_id_is_a_target_once(documents: list[list[int]], window: int) -> None:
    stream = [3] + [token for document in documents for token in [*document, 3]]
    windows = list(pack_stream(documents, window, 3))
    assert [token for w in windows for token in w[1:]] == stream[1:]
    assert [token for w in windows for token in w[:-1]] == stream[:-1]
    assert all(len(w) == window + 1 for w in windows[:-1])
    assert all(2 <= len(w) <= window + 1 for w in windows)


def test_no_documents_give_no_window() -> None:
    assert list(pack_stream([], 4, 3)) == []


def test_documents_are_read_as_windows_are_taken() -> None:
    def forever() -> object:
        while True:
            yield [5, 6]

    windows = pack_stream(forever(), 4, 3)  # type: ignore[arg-type]
    assert next(windows) == [3, 5, 6, 3, 5]
    assert next(windows) == [5, 6, 3, 5, 6]


@pytest.mark.parametrize(
    ("source", "target", "expected", "counted"),
    [
        ([5], [], {"source": [5, 3], "target": [3]}, {}),
        ([5, 6], [7], {"source": [5, 6, 3], "target": [7, 3]}, {}),
        ([5, 6, 7], [8, 9], {"source": [5, 6, 3], "target": [8, 3]}, {"truncated_source": 1, "truncated_target": 1}),
    ],
)
def test_pairs_are_closed_and_cuts_are_counted(
    source: list[int], target: list[int], expected: dict[str, list[int]], counted: dict[str, int]
) -> None:
    counts: dict[str, int] = {}
    assert encode_pair(source, target, 3, 2, counts) == expected
    assert counts == counted
