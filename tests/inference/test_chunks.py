"""Cutting the input: nothing lost, nothing doubled, no chunk between two shards; duplicate ids."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.errors import UserError
from lstmlm.inference import chunks
from lstmlm.inference.chunks import CHARACTERS, chunk_size, read_chunk, write_chunks
from lstmlm.inference.input import counting
from lstmlm.inference.input.counting import count
from lstmlm.inference.input.requests import Dead, Request


class Listed:
    """A source that is a list."""

    where = "a list"

    def __init__(self, items: list[Request | Dead]) -> None:
        self._items = items

    def stamp(self) -> str:
        return "listed"

    def items(self) -> Iterator[Request | Dead]:
        return iter(self._items)


def request(index: int, text: str = "text", record_id: str | None = None) -> Request:
    return Request(
        index, record_id or f"id-{index}", {"source": text, "target": "target"}, index + 2**62, "in.jsonl", index + 1
    )


def dead(index: int) -> Dead:
    return Dead(index, "broken", "in.jsonl", index + 1)


Cut = Callable[[list[Request | Dead], int], list[chunks.ChunkContent]]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """Writes chunks and reads them again."""

    def cut(items: list[Request | Dead], shards: int) -> list[chunks.ChunkContent]:
        folder = tmp_path_factory.mktemp("chunks")
        return [read_chunk(folder, chunk) for chunk in write_chunks(Listed(items), len(items), shards, folder)]

    return cut


@given(kinds=st.lists(st.booleans(), min_size=1, max_size=2000), shards=st.integers(1, 9))
def test_every_input_is_in_one_chunk_in_order(cut: Cut, kinds: list[bool], shards: int) -> None:
    items = [request(n) if alive else dead(n) for n, alive in enumerate(kinds)]
    found = cut(items, shards)
    assert [item for one in found for item in sorted([*one.requests, *one.dead], key=lambda i: i.index)] == items
    for number, one in enumerate(found):
        indices = [item.index for item in [*one.requests, *one.dead]]
        assert {index * shards // len(items) for index in indices} == {one.chunk.shard}
        assert (one.chunk.number, one.chunk.records) == (number, len(indices))
        assert len(indices) <= chunk_size(len(items))


def test_texts_keep_every_character(cut: Cut) -> None:
    texts = ["\0\u2028\x85", "\U0001f980" * 3, "tab\tnew\nline", '"\\']
    (found,) = cut([request(n, text) for n, text in enumerate(texts)], 1)
    assert [one.fields["source"] for one in found.requests] == texts


FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.one_of(
        st.text(),
        st.binary(),
        st.integers(),
        st.booleans(),
        st.none(),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.one_of(st.text(), st.sampled_from(["bytes", "fields"]))


@given(rows=st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=4))
def test_requests_keep_bytes_and_every_other_value(cut: Cut, rows: list[dict[str, Any]]) -> None:
    items = [dataclasses.replace(request(n), fields=row, extra={"more": row}) for n, row in enumerate(rows)]
    (found,) = cut(list(items), 1)
    assert found.requests == items
    assert repr(found.requests) == repr(items)  # 1 is not 1.0, and not True


def test_long_bytes_make_small_chunks(cut: Cut) -> None:
    sound = bytes(range(256)) * (CHARACTERS // 1024)
    items = [dataclasses.replace(request(n), fields={"audio": sound}) for n in range(10)]
    found = cut(list(items), 1)
    assert [one.chunk.records for one in found] == [4, 4, 2]
    assert [one for content in found for one in content.requests] == items


def test_long_texts_make_small_chunks(cut: Cut) -> None:
    found = cut([request(n, "x" * (CHARACTERS // 4)) for n in range(10)], 1)
    assert [one.chunk.records for one in found] == [4, 4, 2]


@pytest.mark.parametrize(("total", "size"), [(1, 256), (10_000, 312), (100_000, 3125), (10**8, 4096)])
def test_chunks_are_many_but_not_small(total: int, size: int) -> None:
    assert chunk_size(total) == size


def test_inputs_and_dead_ones_are_counted() -> None:
    found = count(Listed([request(0), dead(1), request(2), dead(3)]))
    assert (found.total, found.dead, found.first_dead) == (4, 2, dead(1))
    found.check(0.5, "here")
    with pytest.raises(UserError, match=r"here: 2 of 4 .* the first at in\.jsonl:2: broken\. .* to 0\.5"):
        found.check(0.49, "here")


def test_ids_with_the_same_hash_are_not_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "hash", lambda text: 7, raising=False)
    items = [request(n) for n in range(5)]
    assert count(Listed(list(items))).total == 5
    with pytest.raises(UserError, match=r"in\.jsonl:6: duplicate id 'id-3'"):
        count(Listed([*items, request(5, record_id="id-3")]))


def test_an_id_is_found_twice_among_many() -> None:
    items = list(itertools.chain(map(request, range(5000)), [request(5000, record_id="id-17")]))
    with pytest.raises(UserError, match="duplicate id 'id-17'"):
        count(Listed(list(items)))
