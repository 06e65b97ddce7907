"""Lines of a stream of bytes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstmlm.corpus.reading.compression import Damaged
from lstmlm.corpus.reading.lines import raw_lines


def read(data: bytes, limit: int = 100, size: int = 3) -> list[tuple[int, bytes, str]]:
    chunks = (data[place : place + size] for place in range(0, len(data), size))
    return [tuple(line) for line in raw_lines(chunks, limit)]


def test_strips_line_ends_and_byte_order_mark() -> None:
    found = read(b"\xef\xbb\xbfone\r\ntwo\n\nfour")
    assert found == [(1, b"one", ""), (2, b"two", ""), (3, b"", ""), (4, b"four", "")]


def test_joined_files_leave_a_byte_order_mark_at_the_beginning_of_a_later_line() -> None:
    mark = b"\xef\xbb\xbf"
    assert list(raw_lines([mark + b"one\n"], 10, first_line=7)) == [(7, b"one", "")]
    assert read(mark + b"one\n" + mark + b"two\nt" + mark) == [(1, b"one", ""), (2, b"two", ""), (3, b"t" + mark, "")]


def test_returns_are_kept_where_they_may_be_quoted() -> None:
    lines = raw_lines([b"one\r\ntwo\r"], 3, keep_returns=True)
    assert [line.data for line in lines] == [b"one\r", b"two\r"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_limit_counts_the_bytes_of_the_text(size: int, end: bytes, bom: bytes) -> None:
    assert read(bom + b"12345" + end, 5, size) == [(1, b"12345", "")]
    assert read(bom + b"123456" + end, 5, size) == [(1, b"", "longer than 5 bytes")]


@given(data=st.binary(max_size=60) | st.text("a\n\r\0", max_size=60).map(str.encode), size=st.integers(1, 61))
@example(data=b"1234567\r\r", size=1)  # one return ends a line, the other belongs to it
def test_every_line_is_read_or_named_however_the_stream_is_cut(data: bytes, size: int) -> None:
    lines = [line.removeprefix(b"\xef\xbb\xbf") for line in data.split(b"\n")]
    if not lines[-1] and (len(lines) > 1 or not data):
        lines.pop()
    texts = [line.removesuffix(b"\r") for line in lines]
    assert read(data, 7, size) == [
        (number, text, "") if len(text) <= 7 else (number, b"", "longer than 7 bytes")
        for number, text in enumerate(texts, start=1)
    ]


def test_a_line_of_ten_megabytes_is_one_line_within_the_limit() -> None:
    data = b"x" * 10_000_000
    assert read(b"a\n" + data + b"\nb\n", 10_000_000, 1 << 18)[1] == (2, data, "")


def test_long_line_is_not_held_in_memory() -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(32):
            yield b"a" * (1 << 20)
        yield b"\nshort\n"

    tracemalloc.start()
    found = list(raw_lines(chunks(), 1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, b"", "longer than 1000 bytes"), (2, b"short", "")]
    assert peak < 6 << 20


def test_damage_comes_after_the_lines_before_it() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one\ntw"
        raise Damaged("gzip ends early")

    assert list(raw_lines(chunks(), 10)) == [(1, b"one", ""), (2, b"", "gzip ends early")]
