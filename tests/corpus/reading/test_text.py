"""Rows of lines and paragraphs of text, and of JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.reading.lines import RawLine, raw_lines
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.text import json_rows, paragraph_rows


def paragraphs(data: bytes, limit: int = 100) -> list[Row]:
    return list(paragraph_rows(raw_lines([data], limit), limit, "text"))


def test_paragraphs_are_separated_by_blank_lines_and_numbered_by_their_first_line() -> None:
    assert paragraphs(b"\n\none\r\ntwo\n \t\n\nthree") == [
        Row(3, 7, {"text": "one\ntwo"}),
        Row(7, 5, {"text": "three"}),
    ]
    assert paragraphs(b"\n \n\n") == paragraphs(b"") == []


@given(text=st.text("ab \n", max_size=50))
def test_paragraphs_hold_every_line_that_is_not_blank(text: str) -> None:
    expected = [part.strip("\n") for part in re.split(r"(?:^|(?<=\n)) *(?:\n|$)", text) if part.strip()]
    found = [row.fields["text"] for row in paragraphs(text.encode()) if row.fields]
    assert found == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"one\n\xff\ntwo\n", "invalid UTF-8: byte 1"),
        (b"one\n" + b"x" * 21 + b"\ntwo\n", "longer than 20 bytes"),
        (b"0123456789\n0123456789\n", "longer than 20 bytes"),
    ],
)
def test_a_paragraph_with_a_bad_line_is_dead_as_a_whole(data: bytes, reason: str) -> None:
    bad, good = paragraphs(b"\n" + data + b"\n0123456789\n012345678", 20)
    assert (bad.line, bad.fields, bad.dead) == (2, None, reason)
    assert good.fields == {"text": "0123456789\n012345678"}


def test_a_damaged_paragraph_is_dead() -> None:
    lines = [RawLine(1, b"one"), RawLine(2, b""), RawLine(3, b"two"), RawLine(4, b"", "gzip ends early")]
    good, bad = paragraph_rows(lines, 100, "text")
    assert good.fields == {"text": "one"}
    assert (bad.line, bad.dead) == (3, "gzip ends early")


def test_jsonl_is_an_object_a_line() -> None:
    found = list(json_rows(raw_lines([b'{"text": "a\\nb", "n": [1]}\n\n \t\n{}\n'], 100)))
    assert [(row.fields, row.dropped) for row in found] == [
        ({"text": "a\nb", "n": [1]}, ""),
        (None, "blank"),
        (None, "blank"),
        ({}, ""),
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(st.text(max_size=3), values, max_size=3), as_ascii=st.booleans())
def test_every_object_is_read_as_the_json_module_reads_it(value: dict[str, Any], as_ascii: bool) -> None:
    data = json.dumps(value, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass")
    (row,) = json_rows([RawLine(1, data)])
    assert json.dumps(row.fields) == json.dumps(value)


def test_ids_beyond_64_bits_stay_what_they_are() -> None:
    line = RawLine(1, b'{"id": 123456789012345678901234567890, "x": 1e30}')
    (row,) = json_rows([line], ["id"])
    assert row.fields == {"id": 123456789012345678901234567890, "x": 1e30}


@pytest.mark.parametrize("depth", [100, 199])
def test_nested_json_is_read_and_too_deep_is_one_bad_line(depth: int) -> None:
    deep = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    (row,) = json_rows([RawLine(1, deep)])
    assert row.fields is not None
    (row,) = json_rows([RawLine(1, b"[" * 100_000)])
    assert row.dead == "broken JSON"


@pytest.mark.parametrize("filler", ["", "NaN, "])  # what orjson takes, and what it does not
@pytest.mark.parametrize(("depth", "dead"), [(198, ""), (201, "nested"), (800, "nested"), (2000, "")])
def test_deep_nesting_is_a_dead_letter(filler: str, depth: int, dead: str) -> None:
    line = f'{{"text": "a", "more": [{filler}{"[" * depth}{"]" * depth}]}}'.encode()
    (row,) = json_rows([RawLine(7, line)], ["text"])
    assert row.dead.startswith(dead or ("broken JSON" if depth == 2000 else ""))
    assert (row.fields is None) == (depth > 198)
