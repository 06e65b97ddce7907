"""Rows of all formats, as they come from files."""

from __future__ import annotations

import functools
import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from lstmlm.corpus.reading import readers
from lstmlm.corpus.reading.compression import decompressed
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.sources.files import corpus_file
from lstmlm.corpus.sources.listing import Found
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import CorpusSection


def rows(folder: Path, name: str, data: bytes, needed: tuple[str, ...] = ("text",), **settings: Any) -> list[Row]:
    path = folder / name
    path.write_bytes(data)
    corpus = CorpusSection.model_validate({"train": name, "max_line_bytes": 50, **settings})
    return list(read_file(corpus_file(Found(name, str(path), len(data))), corpus, needed))


def test_text_is_a_row_a_line_and_blank_lines_are_dropped(tmp_path: Path) -> None:
    assert rows(tmp_path, "a.txt", b"one\n \t\n\ntw\xc3\xb6\x00") == [
        Row(1, 3, {"text": "one"}),
        Row(2, 2, dropped="blank"),
        Row(3, 0, dropped="blank"),
        Row(4, 5, {"text": "twö\0"}),
    ]


def test_the_field_of_text_is_called_what_the_recipe_calls_it(tmp_path: Path) -> None:
    assert rows(tmp_path, "a.txt", b"one", source="body")[0].fields == {"body": "one"}


def test_byte_order_mark_and_returns_are_no_text(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    assert rows(tmp_path, "a.txt", mark + b"one\r\ntwo\r\n") == [Row(1, 3, {"text": "one"}), Row(2, 3, {"text": "two"})]
    assert rows(tmp_path, "a.jsonl", mark + b'{"text": "a"}\r\n') == [Row(1, 13, {"text": "a"})]
    assert rows(tmp_path, "a.tsv", mark + b"text\r\na\r\n") == [Row(2, 1, {"text": "a"})]
    assert rows(tmp_path, "a.csv", mark + b"text\r\na\r\n") == [Row(2, 2, {"text": "a"})]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    assert rows(tmp_path, name, b"") == []


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_part_of_a_table_without_rows_has_none(tmp_path: Path, name: str) -> None:
    assert rows(tmp_path, name, b"text\n") == []
    assert rows(tmp_path, name, b"") == []
    assert rows(tmp_path, name, b"\xef\xbb\xbf") == []


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("a.txt", b"caf\xe9", "invalid UTF-8: byte 4"),
        ("a.txt", b"x" * 51, "longer than 50 bytes"),
        ("a.tsv", b"one", "wrong number of columns: 1, and the header has 2"),
        ("a.tsv", b"1\t2\t3", "wrong number of columns: 3, and the header has 2"),
        ("a.tsv", b"\xff\t2", "invalid UTF-8: byte 1"),
        ("a.csv", b"one", "wrong number of columns: 1, and the header has 2"),
        ("a.csv", b'"a\xff",2', "invalid UTF-8: byte 3"),
        ("a.csv", b"x" * 51 + b",2", "longer than 50 bytes"),
        ("a.csv", b'"a"b,2', "broken CSV: ',' expected after '\"'"),
        ("a.jsonl", b'{"text": "a"', "broken JSON"),
        ("a.jsonl", b"[" * 49, "broken JSON"),
        ("a.jsonl", b'["text"]', "not a JSON object"),
        ("a.jsonl", b"NaN", "not a JSON object"),
        ("a.jsonl", b'{"text": "\\ud800"}', "holds half of a surrogate pair"),
        ("a.jsonl", b"\x80", "invalid UTF-8: byte 1"),
        ("a.jsonl", b'{"text": "a\x00"}', "broken JSON"),
    ],
)
def test_malformed_lines_say_why_and_the_next_is_read(tmp_path: Path, name: str, line: bytes, reason: str) -> None:
    ending = name[1:]
    header = {".tsv": b"text\tid\n", ".csv": b"text,id\n"}.get(ending, b"")
    good = {".txt": b"good", ".tsv": b"good\t1", ".csv": b"good,1", ".jsonl": b'{"text": "good"}'}[ending]
    bad, after = rows(tmp_path, name, header + line + b"\n" + good + b"\n")
    assert (bad.fields, bad.dead, bad.line) == (None, reason, 2 if header else 1)
    assert after.fields is not None
    assert (after.fields["text"], after.line) == ("good", bad.line + 1)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.tsv", b"en\tfr\n", r"no column 'text' \(there are 'en', 'fr'\)"),
        ("a.csv", b"en,fr\n", r"no column 'text' \(there are 'en', 'fr'\)"),
        ("a.tsv", b"text\ttext\n", "duplicate column name"),
        ("a.csv", b"text,text\n", "duplicate column name"),
        ("a.tsv", b"\xff\n", "not UTF-8"),
        ("a.csv", b"\xff\n", "unusable header row: invalid UTF-8: byte 1"),
        ("a.tsv", b"x" * 60 + b"\n", "unusable header row: longer than 50 bytes"),
        ("a.csv", b"x" * 60 + b"\n", "unusable header row: longer than 50 bytes"),
        ("a.csv", b"\na,b\n", "unusable header row: blank"),
    ],
)
def test_unusable_header_fails_with_the_file(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        rows(tmp_path, name, data)
    assert caught.value.where == f"{tmp_path / name}:1"


def test_damaged_files_end_with_the_reason(tmp_path: Path) -> None:
    text = b"".join(b'{"text": "%d"}\n' % n for n in range(1000))
    for name, data in (("a.jsonl.gz", gzip.compress(text)), ("a.jsonl.zst", zstandard.compress(text))):
        *good, last = rows(tmp_path, name, data[:-5])
        assert [row.fields for row in good] == [{"text": str(n)} for n in range(len(good))]
        assert last.dead in ("gzip ends early", "zstd ends early")
        assert last.line == len(good) + 1


@pytest.mark.parametrize("name", ["a.txt.gz", "a.csv.gz", "a.tsv.zst"])
def test_compressed_files_give_the_rows_of_plain_ones(tmp_path: Path, name: str) -> None:
    compress = gzip.compress if name.endswith("gz") else zstandard.compress
    data = b"text\none\ntwo\n"
    plain = name.rpartition(".")[0]
    assert rows(tmp_path, name, compress(data)) == rows(tmp_path, plain, data)


def test_max_expansion_is_the_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(b"a\n" * 10_000)
    assert len(rows(tmp_path, "a.txt.gz", data, max_expansion=1)) == 10_000  # less than 1 GB is always fine
    monkeypatch.setattr(readers, "decompressed", functools.partial(decompressed, floor=1000))
    assert len(rows(tmp_path, "a.txt.gz", data, max_expansion=1000)) == 10_000
    with pytest.raises(UserError, match="more than 10 times its size"):
        rows(tmp_path, "a.txt.gz", data, max_expansion=10)


def test_parquet_gives_its_columns(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": [7, 8], "text": ["one", None], "more": ["x", "y"]}), sink)
    assert rows(tmp_path, "a.parquet", sink.getvalue().to_pybytes(), ("text", "id")) == [
        Row(1, 3, {"text": "one", "id": 7}),
        Row(2, 0, {"text": None, "id": 8}),
    ]
