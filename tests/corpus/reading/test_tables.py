"""Rows of parquet files."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmlm.corpus.reading import tables
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.tables import row_groups, table_rows
from lstmlm.errors import UserError
from lstmlm.processes.child import Children
from tests.hostile import code_carrying, kill_readers


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
        (pa.array([[[1]]] * 3), "list<"),
        (pa.array([decimal.Decimal("1.5")] * 3), "decimal128(2, 1)"),
        (pa.array([datetime.date(2020, 1, 1)] * 3), "date32"),
    ],
)
def test_nested_columns_and_dates_are_dead_rows(tmp_path: Path, column: pa.Array, kind: str) -> None:
    path = write(tmp_path, pa.table({"text": column}))
    reason = f"column 'text' holds neither text nor numbers: {kind}"
    found = read(path, "text")
    assert [row.line for row in found] == [1, 2, 3]
    assert all(row.dead.startswith(reason) for row in found)


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
def test_what_is_no_parquet_file_is_the_users_to_fix(tmp_path: Path, cut: int) -> None:
    path = Path(write(tmp_path, pa.table({"text": ["some text"] * 100})))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="a damaged parquet file, or none") as caught:
        read(str(path), "text")
    assert caught.value.where == str(path)


def test_damage_costs_the_rest_of_its_row_group(tmp_path: Path) -> None:
    table = pa.table({"text": [f"some text {n}" for n in range(3000)]})
    path = Path(write(tmp_path, table, use_dictionary=False, row_group_size=1000, compression="none"))
    data = bytearray(path.read_bytes())
    place = data.index(b"some text 1500")
    data[place - 4 : place] = b"\xff" * 4  # its length
    path.write_bytes(data)
    found = read(str(path), "text")
    assert [row.line for row in found] == list(range(1, 3001))
    assert [row.fields for row in found[:1000]] == [{"text": f"some text {n}"} for n in range(1000)]
    assert all(row.dead.startswith("a damaged parquet file, or none: ") for row in found[1000:2000])
    assert [row.fields for row in found[2000:]] == [{"text": f"some text {n}"} for n in range(2000, 3000)]


def test_a_file_of_pickled_objects_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = code_carrying(tmp_path / "a.parquet", marker)
    with pytest.raises(UserError, match="holds Python objects, whose reading would run code") as caught:
        read(str(path), "text")
    assert caught.value.where == str(path)
    assert not marker.exists()


def test_a_field_of_a_column_of_structs_is_read(tmp_path: Path) -> None:
    pairs = [{"en": "one", "fr": "un"}, {"en": None, "fr": "deux"}, None]
    path = write(tmp_path, pa.table({"translation": pairs, "dotted.name": ["a", "b", "c"]}))
    found = read(path, "translation.fr", "translation.en", "dotted.name")
    assert [row.fields for row in found] == [
        {"translation.fr": "un", "translation.en": "one", "dotted.name": "a"},
        {"translation.fr": "deux", "translation.en": None, "dotted.name": "b"},
        {"translation.fr": None, "translation.en": None, "dotted.name": "c"},
    ]
    with pytest.raises(UserError, match=r"no column 'translation\.de' \(there are 'translation', 'dotted\.name'\)"):
        read(path, "translation.de")


def test_a_reader_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    texts = [f"text {n} " + "x" * 900 for n in range(20_000)]
    path = write(tmp_path, pa.table({"text": texts}), row_group_size=6_000)
    found = []
    for row in table_rows(path, 0, 4, 1, 10_000, ["text"]):
        found.append(row)
        if row.line == 10_000:
            kill_readers()
    assert [row.fields for row in found] == [{"text": text} for text in texts]
    assert [row.line for row in found] == list(range(1, 20_001))


def test_a_reader_that_dies_every_time_costs_its_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, pa.table({"text": [f"text {n}" for n in range(30)]}), row_group_size=10)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    monkeypatch.setattr(tables, "_READERS", Children("dying_reader"))
    found = read(path, "text")
    assert [row.line for row in found] == list(range(1, 31))
    assert [row.fields for row in found if row.fields] == [{"text": f"text {n}"} for n in (*range(10), *range(20, 30))]
    assert {row.dead for row in found[10:20]} == {"a damaged parquet file, or none: it crashed the reader (SIGSEGV)"}


def repeated(text: str, times: int) -> pa.Array:
    """A text that is there once, as many times."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))


def test_text_that_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_EXPANDED_BYTES", 10_000_000)
    path = write(tmp_path, pa.table({"text": repeated("x" * 90_000, 200)}), compression="zstd", row_group_size=20)
    assert Path(path).stat().st_size < 10_000
    with pytest.raises(UserError, match=r"larger than the file by more than the allowed factor.*max_expansion"):
        read(path, "text", limit=1_000_000)


def test_a_row_group_beyond_the_memory_of_a_reader_costs_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"text": repeated("x" * 4_000_000, 900)}), compression="zstd")  # 3.6 GB
    found = read(path, "text", limit=10_000_000)
    assert [row.line for row in found] == list(range(1, 901))
    assert {row.dead for row in found} <= {
        "a damaged parquet file, or none: it takes more than 2 GB of memory to read",
        "a damaged parquet file, or none: it crashed the reader (SIGABRT)",
    }


def test_a_count_of_rows_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = Path(write(tmp_path, pa.table({"text": [{"en": "a"}] * 1000}), compression="none"))
    data = path.read_bytes()
    metadata = pq.ParquetFile(path).metadata
    assert metadata.num_rows == 1000
    # The footer counts rows as zigzag varints, and 1000 is d0 0f: here more rows than bytes.
    path.write_bytes(data.replace(b"\xd0\x0f", b"\xfe\x7f"))
    with pytest.raises(UserError, match="8191 rows are said to be in"):
        read(str(path), "text")
