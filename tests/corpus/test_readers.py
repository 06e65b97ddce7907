"""Rows of the three formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.corpus.readers import BLOCK_BYTES, BLOCK_LINES, Row, blocks, read_rows
from lstmlm.errors import UserError


def rows(folder: Path, ending: str, data: bytes, needed: tuple[str, ...] = ("text",)) -> list[Row]:
    path = folder / f"a{ending}"
    path.write_bytes(data)
    return list(read_rows(path, ending, zipped=False, max_line_bytes=50, text_column="text", needed=needed))


def test_text_is_a_row_a_line_and_blank_lines_are_dropped(tmp_path: Path) -> None:
    found = rows(tmp_path, ".txt", b"one\n \t\ntwo\n")
    assert [row.fields for row in found] == [{"text": "one"}, None, {"text": "two"}]
    assert [row.dropped for row in found] == ["", "blank", ""]


def test_tsv_has_a_header_and_no_quoting(tmp_path: Path) -> None:
    found = rows(tmp_path, ".tsv", b'\xef\xbb\xbftext\tid\r\n"a\tb"\r\n\'\t"\n')
    assert [(row.line, row.fields) for row in found] == [
        (2, {"text": '"a', "id": 'b"'}),
        (3, {"text": "'", "id": '"'}),
    ]


def test_jsonl_is_an_object_a_line(tmp_path: Path) -> None:
    found = rows(tmp_path, ".jsonl", b'{"text": "a\\nb", "n": [1]}\n\n{}\n')
    assert [(row.fields, row.dropped) for row in found] == [
        ({"text": "a\nb", "n": [1]}, ""),
        (None, "blank"),
        ({}, ""),
    ]


@pytest.mark.parametrize(
    ("ending", "line", "reason"),
    [
        (".txt", b"caf\xe9", "invalid UTF-8: byte 4"),
        (".txt", b"x" * 51, "longer than 50 bytes"),
        (".tsv", b"one", "wrong number of columns: 1, and the header has 2"),
        (".tsv", b"1\t2\t3", "wrong number of columns: 3, and the header has 2"),
        (".tsv", b"\xff\t2", "invalid UTF-8: byte 1"),
        (".jsonl", b'{"text": "a"', "broken JSON"),
        (".jsonl", b"[" * 49, "broken JSON"),
        (".jsonl", b'["text"]', "not a JSON object"),
        (".jsonl", b'{"text": "\\ud800"}', "holds half of a surrogate pair"),
        (".jsonl", b"\x80", "invalid UTF-8: byte 1"),
    ],
)
def test_malformed_lines_say_why_and_the_next_is_read(tmp_path: Path, ending: str, line: bytes, reason: str) -> None:
    header = {".tsv": b"text\tid\n"}.get(ending, b"")
    good = {".txt": b"good", ".tsv": b"good\t1", ".jsonl": b'{"text": "good"}'}[ending]
    bad, after = rows(tmp_path, ending, header + line + b"\n" + good + b"\n")
    assert (bad.fields, bad.dead) == (None, reason)
    assert after.fields is not None
    assert after.fields["text"] == "good"


def test_deeply_nested_json_is_one_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"[" * 100_000 + b"\n")
    (row,) = read_rows(path, ".jsonl", zipped=False, max_line_bytes=10**6, text_column="text", needed=())
    assert row.dead == "broken JSON"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "header row is needed"),
        (b"en\tfr\n", r"no column 'text' \(there are 'en', 'fr'\)"),
        (b"text\ttext\n", "named twice"),
        (b"\xff\n", "not UTF-8"),
        (b"x" * 60 + b"\n", "unusable header row: longer than 50 bytes"),
    ],
)
def test_unusable_header_fails_with_the_file(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        rows(tmp_path, ".tsv", data)
    assert caught.value.where.startswith(str(tmp_path / "a.tsv"))


def test_blocks_are_cut_by_lines_and_by_bytes() -> None:
    sizes = [len(block) for block in blocks(Row(n, 10, {}) for n in range(2 * BLOCK_LINES + 5))]
    assert sizes == [BLOCK_LINES, BLOCK_LINES, 5]
    assert [len(block) for block in blocks(Row(n, BLOCK_BYTES // 2, {}) for n in range(5))] == [2, 2, 1]
    assert list(blocks([])) == []
