"""The kinds of files outputs are written to: what goes in comes out, and other readers read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lstmlm.inference.output.format import FORMATS as FOUND
from lstmlm.inference.output.format import OutputFormat, output_format, shard_name
from lstmlm.inference.output.lines import json_line
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.tasks.generate import Generate

MakeRecipe = Callable[..., Recipe]
FORMATS = FOUND.builtin()
SCHEMA = Generate().schema(Recipe(name="test", task="generate", corpus={"train": "none.txt"}))


def rows(first: int, count: int) -> list[dict[str, str]]:
    return [
        {"id": f"r{n}", "source": "a\u2028b\x85\0", "output": f"\U0001f980 {n}"} for n in range(first, first + count)
    ]


def join(parts: list[Path], shard: Path, format: OutputFormat) -> int:
    return format.join(parts, shard, format.common(parts, SCHEMA))


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> OutputFormat:
    return output_format(request.param)


def test_parts_join_to_one_file_in_their_order(tmp_path: Path, format: OutputFormat) -> None:
    parts = []
    for first, count in ((0, 3), (3, 1), (4, 5)):
        parts.append(tmp_path / f"{first}.part")
        format.write_part(parts[-1], rows(first, count))
    shard = tmp_path / shard_name(0, 1, format)
    assert join(parts, shard, format) == 9
    assert list(format.read(shard)) == rows(0, 9)


def test_a_shard_without_outputs_is_a_whole_file(tmp_path: Path, format: OutputFormat) -> None:
    shard = tmp_path / shard_name(0, 1, format)
    assert join([], shard, format) == 0
    assert list(format.read(shard)) == []
    if format.extension == "parquet":
        assert pq.read_schema(shard).names == ["id", "source", "output"]


def test_n_best_stays_readable(tmp_path: Path, format: OutputFormat) -> None:
    best = [{"output": "a", "score": -0.5}, {"output": "b", "score": -1.25}]
    part, shard = tmp_path / "part", tmp_path / shard_name(0, 1, format)
    format.write_part(part, [{**rows(0, 1)[0], "n_best": best}])
    join([part], shard, format)
    (row,) = format.read(shard)
    assert (json.loads(row["n_best"]) if format.extension == "tfrecord" else row["n_best"]) == best


TABLES = output_format("parquet")
COLUMNS = {
    "whole": ([1, 2], [3], "int64", [1, 2, 3]),
    "absent": ([None, None], [3], "int64", [None, None, 3]),
    "numbers": ([1, 2], [0.5], "double", [1.0, 2.0, 0.5]),
    "mixed": ([1, "a"], [None], "string", ["1", "a", None]),
    "later": ([1, 2], ["a"], "string", ["1", "2", "a"]),
    "lists": ([["a"], []], [["b", "c"]], "list<item: string>", [["a"], [], ["b", "c"]]),
    "objects": ([{"a": 1}, {}], [{"b": []}], "string", ['{"a": 1}', "{}", '{"b": []}']),
    "huge": ([2**70, 1], [2], "string", [str(2**70), "1", "2"]),
    "empty": ([None, None], [None], "string", [None, None, None]),
}


def test_a_table_has_one_type_for_a_column_whatever_the_parts_hold(tmp_path: Path) -> None:
    parts = [tmp_path / "0", tmp_path / "1"]
    for part, place in zip(parts, (0, 1), strict=True):
        count = len(COLUMNS["whole"][place])
        values = [{name: column[place][n] for name, column in COLUMNS.items()} for n in range(count)]
        TABLES.write_part(part, [row | more for row, more in zip(rows(2 * place, count), values, strict=True)])
    columns = TABLES.common(parts, SCHEMA)
    for shard, some in enumerate((parts, parts[1:], [])):
        path = tmp_path / f"shard-{shard}.parquet"
        TABLES.join(some, path, columns)
        # Newer versions of pyarrow call the values of a list `element`.
        kinds = {name: str(pq.read_schema(path).field(name).type).replace("element:", "item:") for name in COLUMNS}
        assert kinds == {name: kind for name, (*_, kind, _) in COLUMNS.items()}
    found = pq.read_table(tmp_path / "shard-0.parquet").to_pydict()
    assert {name: found[name] for name in COLUMNS} == {name: values for name, (*_, values) in COLUMNS.items()}


def test_ids_are_never_rounded(tmp_path: Path) -> None:
    for name, ids, kind in (("whole", [1, 2**53 + 1], "int64"), ("mixed", [2**53 + 1, 0.5], "string")):
        part = tmp_path / name
        TABLES.write_part(part, [{"id": value, "source": "", "output": ""} for value in ids])
        columns = TABLES.common([part], SCHEMA)
        assert str(columns["id"]) == kind
        TABLES.join([part], tmp_path / f"{name}.parquet", columns)
        found = pq.read_table(tmp_path / f"{name}.parquet").to_pydict()["id"]
        assert found == (ids if kind == "int64" else list(map(str, ids)))


def test_tensorflow_reads_the_examples(tmp_path: Path) -> None:
    import tensorflow as tf

    path = tmp_path / "x.tfrecord"
    output_format("tfrecord").write_part(path, rows(0, 2))
    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in ("id", "source", "output")}
    found = [tf.io.parse_single_example(one, spec) for one in tf.data.TFRecordDataset(str(path))]
    assert [one["output"].numpy().decode() for one in found] == [row["output"] for row in rows(0, 2)]


def test_a_line_has_no_end_within() -> None:
    line = json_line(rows(0, 1)[0])
    assert len(line.splitlines()) == 1
    assert json.loads(line) == rows(0, 1)[0]


def test_the_job_writes_the_same_in_every_format(
    shouter: Path, recipe: MakeRecipe, tmp_path: Path, format: OutputFormat
) -> None:
    path = tmp_path / "in.txt"
    path.write_text("one\n\ntwo\nPOISON\n")
    infer(
        recipe(format=format.extension, shards=2, max_dead_fraction=1.0),
        shouter,
        tmp_path / "out",
        Silent(),
        input=path,
    )
    files = sorted((tmp_path / "out").glob(f"predictions-*.{format.extension}"))
    found: list[dict[str, Any]] = [row for file in files for row in format.read(file)]
    assert len(files) == 2
    assert [(row["id"], row["output"][:3]) for row in found] == [("in.txt:1", "ONE"), ("in.txt:3", "TWO")]
    assert json.loads((tmp_path / "out" / "dead_letters.jsonl").read_text())["line"] == 4
