"""Rows of parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmlm.corpus.rows import Row
from lstmlm.corpus.tables import row_groups, table_rows
from lstmlm.errors import UserError


def write(folder: Path, table: pa.Table, **options: Any) -> str:
    path = folder / "a.parquet"
    pq.write_table(table, path, **options)
    return str(path)


def read(path: str, *needed: str, limit: int = 100) -> list[Row]:
    groups = sum(count for count, _ in row_groups(path, 10**9))
    return list(table_rows(path, 0, groups, 1, limit, needed))


def test_text_numbers_and_lists_of_text_are_values(tmp_path: Path) -> None:
    columns = {
        "text": ["é", "", None],
        "coded": pa.array(["x", "y", "x"]).dictionary_encode(),
        "large": pa.array(["l", None, "m"], pa.large_string()),
        "many": [["a", "b"], [], None],
        "id": [2**62, 1, None],
        "score": [0.5, None, 1.0],
        "good": [True, False, None],
    }
    found = read(write(tmp_path, pa.table(columns)), *columns)
    expected = [
        {"text": "é", "coded": "x", "large": "l", "many": ["a", "b"], "id": 2**62, "score": 0.5, "good": True},
        {"text": "", "coded": "y", "large": None, "many": [], "id": 1, "score": None, "good": False},
        {"text": None, "coded": "x", "large": "m", "many": None, "id": None, "score": 1.0, "good": None},
    ]
    assert [(row.line, row.fields) for row in found] == list(enumerate(expected, start=1))
    assert found[0].size == 6
    assert [type(value) for value in found[0].fields.values()] == [str, str, str, list, int, float, bool]


def test_only_needed_columns_are_read_and_all_values_without_them(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "nested": [{"en": "b"}], "id": [1]})
    path = write(tmp_path, table)
    assert read(path, "id") == [Row(1, 0, {"id": 1})]
    assert read(path) == [Row(1, 1, {"text": "a", "id": 1})]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([{"en": "b"}] * 3), "struct<en: string>"),
        (pa.array([b"x"] * 3), "binary"),
        (pa.array([[1]] * 3), "list<item: int64>"),
    ],
)
def test_nested_columns_and_bytes_are_dead_rows(tmp_path: Path, column: pa.Array, kind: str) -> None:
    path = write(tmp_path, pa.table({"text": column}))
    reason = f"column 'text' holds neither text nor numbers: {kind}"
    assert [(row.line, row.dead) for row in read(path, "text")] == [(n, reason) for n in (1, 2, 3)]


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"en": ["a"], "fr": ["b"]}))
    with pytest.raises(UserError, match=r"no column 'text' \(there are 'en', 'fr'\)") as caught:
        read(path, "text")
    assert caught.value.where == path


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_text_that_is_not_utf8_is_one_dead_row(tmp_path: Path, kind: pa.DataType) -> None:
    data = pa.array(
        [b"good", b"bad\xff", None, "né".encode()], pa.binary() if kind == pa.string() else pa.large_binary()
    )
    path = write(tmp_path, pa.table({"text": data.view(kind)}))
    good, bad, none, more = read(path, "text")
    assert good.fields == {"text": "good"}
    assert (bad.line, bad.dead) == (2, "invalid UTF-8: byte 4")
    assert (none.fields, more.fields) == ({"text": None}, {"text": "né"})


def test_lists_of_text_that_is_not_utf8_are_dead_rows(tmp_path: Path) -> None:
    data = pa.array([[b"good"], [b"bad\xff"]], pa.list_(pa.binary()))
    path = write(tmp_path, pa.table({"text": data.cast(pa.list_(pa.string()), safe=False)}))
    assert [row.dead for row in read(path, "text")] == ["", "invalid UTF-8: byte 4"]


def test_a_row_over_the_limit_is_dead(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"text": ["é" * 50, "é" * 51], "more": [["ab"], ["c"]]}))
    assert [row.dead for row in read(path, "text")] == ["", "longer than 100 bytes"]
    assert [row.dead for row in read(path, "text", "more")] == ["longer than 100 bytes"] * 2


def test_row_groups_are_taken_together_up_to_a_size(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"text": [f"text {n}" for n in range(100)]}), row_group_size=10)
    assert row_groups(path, 10**9) == [(10, 100)]
    assert row_groups(path, 1) == [(1, 10)] * 10
    several = row_groups(path, 700)
    assert 1 < len(several) < 10
    assert sum(rows for _, rows in several) == 100
    (row, *_) = table_rows(path, 3, 4, 31, 100, ["text"])
    assert row == Row(31, 7, {"text": "text 30"})


def test_a_table_without_rows_has_none(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"text": pa.array([], pa.string())}))
    assert read(path, "text") == []


@pytest.mark.parametrize("cut", [0, 4, 100, -4])
def test_what_is_no_parquet_file_is_the_users_to_mend(tmp_path: Path, cut: int) -> None:
    path = Path(write(tmp_path, pa.table({"text": ["some text"] * 100})))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="a damaged parquet file, or none") as caught:
        read(str(path), "text")
    assert caught.value.where == str(path)


def test_a_damaged_column_is_the_users_to_mend(tmp_path: Path) -> None:
    path = Path(write(tmp_path, pa.table({"text": [f"some text {n}" for n in range(1000)]}), use_dictionary=False))
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    with pytest.raises(UserError, match="a damaged parquet file"):
        read(str(path), "text")
