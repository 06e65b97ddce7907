"""Rows of .tsv and .csv files."""

from __future__ import annotations

import csv
import io
import itertools
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.reading.delimited import csv_rows, tsv_columns, tsv_rows
from lstmlm.corpus.reading.lines import raw_lines
from lstmlm.corpus.reading.rows import Row
from lstmlm.errors import UserError


def read_csv(data: bytes, limit: int = 100) -> list[Row]:
    return list(csv_rows(raw_lines([data], limit, keep_returns=True), limit, "a.csv", ["text"]))


def test_tsv_has_a_header_and_no_quoting() -> None:
    lines = raw_lines([b'text\tid\n"a\tb"\n\n\t\n\'\t"\n'], 100)
    columns = tsv_columns(next(lines), "a.tsv", ["text"])
    assert list(tsv_rows(lines, columns)) == [
        Row(2, 5, {"text": '"a', "id": 'b"'}),
        Row(3, 0, dropped="blank"),
        Row(4, 1, {"text": "", "id": ""}),
        Row(5, 3, {"text": "'", "id": '"'}),
    ]


def test_csv_rows_are_numbered_by_the_line_they_begin_on() -> None:
    found = read_csv(b'text,id\r\n"a\r\nb",1\r\n\r\n"say ""hi"", all",2\r\n,\r\n')
    assert [(row.line, row.fields, row.dropped) for row in found] == [
        (2, {"text": "a\r\nb", "id": "1"}, ""),
        (4, None, "blank"),
        (5, {"text": 'say "hi", all', "id": "2"}, ""),
        (6, {"text": "", "id": ""}, ""),
    ]


@given(table=st.lists(st.tuples(st.text("a\"',\n\r\0é", max_size=6), st.text(max_size=4)), max_size=8))
def test_csv_is_read_as_the_csv_module_wrote_it(table: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("text", "other"), *table])
    found = read_csv(out.getvalue().encode("utf-8"), 10**6)
    assert [tuple(row.fields.values()) for row in found if row.fields] == table
    assert len(found) == len(table)


@pytest.mark.parametrize("quoted", [b'"one\n\xff\ntwo",1\n', b'"one\n' + b"x" * 101 + b'\n"\n'])
def test_a_row_with_a_bad_line_is_dead(quoted: bytes) -> None:
    found = read_csv(b"text,id\n" + quoted + b"good,2\n")
    assert found[0].line == 2
    assert found[0].dead in ("invalid UTF-8: byte 1", "longer than 100 bytes")
    assert found[-1].fields in ({"text": "good", "id": "2"}, None)


def test_an_unclosed_quote_does_not_swallow_the_file() -> None:
    lines = b"".join(b"line %d,1\n" % n for n in range(100))
    first, *rest = read_csv(b"text,id\n" + b'"open,1\n' + lines)
    assert (first.line, first.dead) == (2, "longer than 100 bytes")
    assert len(rest) > 85
    assert all(row.fields for row in rest)


def test_a_quote_open_at_the_end_is_reported() -> None:
    good, bad = read_csv(b'text,id\na,1\n"b,2\nc,3\n')
    assert good.fields == {"text": "a", "id": "1"}
    assert (bad.line, bad.dead) == (3, "broken CSV: unexpected end of data")


def test_a_field_may_be_as_long_as_a_row() -> None:
    long = b"x" * 1_000_000
    (row,) = read_csv(b"text\n" + long + b"\r\n", 1_000_000)
    assert row.fields == {"text": long.decode()}


def test_a_row_without_end_is_not_held_in_memory() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'text\n"'
        for _ in range(80):
            yield b"some line of text\n" * 6000

    tracemalloc.start()
    rows = csv_rows(raw_lines(chunks(), 6_000_000, keep_returns=True), 1_000_000, "a.csv", ["text"])
    (row,) = itertools.islice(rows, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (row.line, row.dead) == (2, "longer than 1000000 bytes")
    assert peak < 8_000_000  # the text as the csv module holds it, four bytes a character
    assert next(rows).fields == {"text": "some line of text"}


def test_a_header_with_a_return_inside_costs_one_line() -> None:
    lines = raw_lines([b"id\rx,text\n1,a\n"], 1000, keep_returns=True)
    with pytest.raises(UserError, match=r"a\.csv"):
        list(csv_rows(lines, 1000, "a.csv", ["text"]))
