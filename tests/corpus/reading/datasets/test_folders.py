"""Folders as Hugging Face's `datasets` saves them: nested columns, names of classes, recordings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.sources.files import corpus_files
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in

ROWS = [
    {
        "id": f"q{number}",
        "translation": {"en": f"text {number}", "fr": f"texte {number}"},
        "answers": {"text": [f"a{number}", "b"], "answer_start": [number, 2]},
        "many": [{"text": "x", "start": number}, {"text": "y", "start": 0}],
        "label": number % 2,
        "tags": [0, 1],
        "audio": {"bytes": b"RIFF\xff" + bytes([number]), "path": "a.wav"},
    }
    for number in range(5)
]
KIND = pa.struct([("text", pa.string()), ("start", pa.int64())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("translation", pa.struct([("en", pa.string()), ("fr", pa.string())])),
        ("answers", pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))])),
        ("many", pa.list_(KIND)),
        ("label", pa.int64()),
        ("tags", pa.list_(pa.int64())),
        ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ],
    metadata={
        "huggingface": json.dumps(
            {
                "info": {
                    "features": {
                        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
                        "tags": {"feature": {"names": ["O", "B"], "_type": "ClassLabel"}, "_type": "Sequence"},
                    }
                }
            }
        )
    },
)
NEEDED = ["id", "translation.fr", "answers.text", "answers.answer_start", "many.text", "many.start", "label", "tags"]


def expected(number: int) -> dict[str, Any]:
    return {
        "id": f"q{number}",
        "translation.fr": f"texte {number}",
        "answers.text": [f"a{number}", "b"],
        "answers.answer_start": [number, 2],
        "many.text": ["x", "y"],
        "many.start": [number, 0],
        "label": ["neg", "pos"][number % 2],
        "tags": ["O", "B"],
    }


def write_parquet(folder: Path) -> None:
    (folder / "data").mkdir()
    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet", row_group_size=2)


def write_arrow(folder: Path) -> None:
    """As `save_to_disk` does."""
    (folder / "train").mkdir()
    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    with (folder / "train" / "data-00000-of-00001.arrow").open("wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_table(table, max_chunksize=2)
    (folder / "train" / "state.json").write_text('{\n "_data_files": []\n}')
    (folder / "train" / "dataset_info.json").write_text('{\n "features": {}\n}')
    (folder / "dataset_dict.json").write_text('{"splits": ["train"]}')


def write_arrow_file(folder: Path) -> None:
    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    with pa.OSFile(str(folder / "train.arrow"), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_table(table, max_chunksize=2)


def write_lines(folder: Path) -> None:
    """As `to_json` does, with the facts of the data set next to it."""
    lines = [json.dumps({name: value for name, value in row.items() if name != "audio"}) for row in ROWS]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    info = json.loads((SCHEMA.metadata or {})[b"huggingface"])["info"]
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=1))


WRITERS = {"parquet": write_parquet, "arrow": write_arrow, "arrow_file": write_arrow_file, "lines": write_lines}


def recipe(root: Path, **corpus: Any) -> Recipe:
    section: Mapping[str, Any] = {"root": root, "train": ".", "valid_fraction": 0.0, "shards": 1, **corpus}
    return Recipe.model_validate({"name": "datasets", "task": "translate", "corpus": section})


@pytest.mark.parametrize("kind", WRITERS)
def test_nested_columns_and_names_of_classes(kind: str, tmp_path: Path) -> None:
    WRITERS[kind](tmp_path)
    run = recipe(tmp_path, source="id", target="translation.fr")
    (file,) = corpus_files(run)
    rows = list(read_file(file, run.corpus, NEEDED))
    assert [row.dead for row in rows] == [""] * 5
    assert [{name: (row.fields or {})[name] for name in NEEDED} for row in rows] == [expected(n) for n in range(5)]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrow_file"])
def test_a_recording_is_its_bytes_or_its_path(kind: str, tmp_path: Path) -> None:
    WRITERS[kind](tmp_path)
    run = recipe(tmp_path, source="id", target="label")
    (file,) = corpus_files(run)
    for column in ("audio", "audio.bytes"):
        rows = read_file(file, run.corpus, [column])
        assert [(row.fields or {})[column] for row in rows] == [b"RIFF\xff" + bytes([number]) for number in range(5)]


def test_a_recording_without_bytes_is_a_path_and_one_too_long_is_dead(tmp_path: Path) -> None:
    rows = [{"audio": {"bytes": None, "path": "a.wav"}}, {"audio": {"bytes": b"x" * 99, "path": None}}, {"audio": None}]
    kind = SCHEMA.field("audio").type
    pq.write_table(pa.table({"audio": pa.array([row["audio"] for row in rows], kind)}), tmp_path / "a.parquet")
    run = recipe(tmp_path, source="audio", target="audio", max_line_bytes=50)
    (file,) = corpus_files(run)
    first, second, third = read_file(file, run.corpus, ["audio"])
    assert first.fields == {"audio": "a.wav"}
    assert second.dead == "longer than 50 bytes"
    assert third.fields == {"audio": None}


def test_a_list_of_objects_that_is_null_or_empty(tmp_path: Path) -> None:
    values = [None, [], [{"text": "x", "start": 1}], [{"text": None, "start": None}]]
    pq.write_table(pa.table({"many": pa.array(values, pa.list_(KIND))}), tmp_path / "a.parquet")
    run = recipe(tmp_path, source="many.text", target="many.start")
    (file,) = corpus_files(run)
    rows = read_file(file, run.corpus, ["many.text", "many.start"])
    assert [tuple((row.fields or {}).values()) for row in rows] == [
        (None, None),
        ([], []),
        (["x"], [1]),
        ([None], [None]),
    ]


@pytest.mark.parametrize("kind", WRITERS)
def test_records_of_such_a_folder(kind: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    WRITERS[kind](root)
    run = recipe(root, source="translation.en", target="label", id="id", valid_fraction=0.5)
    ingest(run, tmp_path / "records", Silent())
    found = [record for split in ("train", "valid") for record in records_in(tmp_path / "records", split)]
    assert {(record.source, record.targets) for record in found} == {
        (f"text {number}", (["neg", "pos"][number % 2],)) for number in range(5)
    }


def test_a_damaged_arrow_file_is_reported(tmp_path: Path) -> None:
    write_arrow(tmp_path)
    path = tmp_path / "train" / "data-00000-of-00001.arrow"
    whole = path.read_bytes()
    run = recipe(tmp_path, source="id", target="translation.fr")
    for content in (b"", b"nothing", whole[:100], whole[: len(whole) // 2]):
        path.write_bytes(content)
        (file,) = corpus_files(run)
        with pytest.raises(Exception, match="a damaged Arrow file, or none"):
            list(read_file(file, run.corpus, ["id"]))
