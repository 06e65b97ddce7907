"""Inputs that people send by mistake: each is decoded, or reported in one clear line, and none is dropped silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

ODD = {
    "long": "word " * 20_000,
    "unknown": "\ue000\ue001\ue002",
    "nul": "before\0behind",
    "emoji": "\U0001f980\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "spaces around": "  a b  ",
    "one letter": "a",
    "right to left": "שלום עולם",
}


def changed(recipe: Recipe, **inference: Any) -> Recipe:
    return recipe.model_copy(update={"inference": recipe.inference.model_copy(update={"id": "id"} | inference)})


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_odd_texts_are_decoded(exported: TinyRun, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", *({"id": name, "text": text} for name, text in ODD.items()))
    manifest = infer(changed(exported.recipe, shards=1), exported.export, tmp_path / "out", Silent(), input=path)
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions-00000-of-00001.jsonl").open()]
    assert {line["id"]: line["source"] for line in lines} == ODD
    pairs = exported.recipe.task == "translate"
    assert manifest.facts["cut_sources"] == pairs  # the long one; a prompt is read whole
    assert [line["id"] for line in lines if line.get("cut")] == ["long"] * pairs
    assert manifest.facts["dead_letters"] == 0


def test_texts_that_are_none_are_dead_letters_with_their_reason(exported: TinyRun, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": "empty", "text": ""}, {"id": "blank", "text": " \t"}, {"id": "missing"}]
    path = write(tmp_path / "in.jsonl", *rows, {"id": "number", "text": 7}, {"id": "good", "text": "a"})
    infer(changed(exported.recipe, max_dead_fraction=0.9), exported.export, tmp_path / "out", Silent(), input=path)
    letters = [json.loads(line) for line in (tmp_path / "out" / "dead_letters.jsonl").open()]
    # A language model begins from nothing where the prompt is empty.
    blank = dict.fromkeys(("empty", "blank"), "field 'text' is empty") if exported.recipe.task == "translate" else {}
    assert {letter["id"]: letter["reason"] for letter in letters} == blank | {
        "missing": "no field 'text' (there are 'id')",
        "number": "field 'text' is not text",
    }
    assert [letter["line"] for letter in letters] == [1, 2, 3, 4][4 - len(letters) :]


def test_what_is_refused_is_reported_in_one_line(exported: TinyRun, tmp_path: Path) -> None:
    other = {"generate": "translate", "translate": "generate"}[exported.recipe.task]
    good = {"id": "x", "text": "a"}
    table = tmp_path / "table.tsv"
    table.write_text("id\tsentence\nx\ta\n")
    cases = [
        (write(tmp_path / "twice.jsonl", good, good), {}, r"twice\.jsonl:2: duplicate id 'x'"),
        (table, {}, r"table\.tsv:1: no column 'text' \(there are 'id', 'sentence'\)"),
        (write(tmp_path / "empty.jsonl"), {}, "no records to decode"),
        (write(tmp_path / "good.jsonl", good), {"task": other}, f"the export is for task `{exported.recipe.task}`"),
        (tmp_path / "good.csv.zip", {}, "no such input file"),
    ]
    for path, update, words in cases:
        recipe = changed(exported.recipe).model_copy(update=update)
        with pytest.raises(UserError, match=words) as caught:
            infer(recipe, exported.export, tmp_path / "out", Silent(), input=path)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["in.tsv", "in.csv", "in.txt", "in.jsonl.gz", "in.parquet", "in.tfrecord"])
def test_every_kind_of_input_gives_the_same_outputs(exported: TinyRun, tmp_path: Path, name: str) -> None:
    texts = ["The statement", "a, b and c"]
    _write_as(tmp_path / name, texts)
    plain = write(tmp_path / "in.jsonl", *({"text": text} for text in texts))
    outputs = []
    for path in (plain, tmp_path / name):
        folder = tmp_path / f"out-{path.name}"
        infer(changed(exported.recipe, id=None, shards=1), exported.export, folder, Silent(), input=path)
        lines = [json.loads(line) for line in (folder / "predictions-00000-of-00001.jsonl").open()]
        outputs.append([(line["source"], line["output"]) for line in lines])
        assert all(line["id"].startswith(f"{path.name}:") for line in lines)
    assert outputs[0] == outputs[1]


def _write_as(path: Path, texts: list[str]) -> None:
    if path.suffix == ".tfrecord":
        from lstmlm.records.protobuf import bytes_example
        from lstmlm.records.tfrecord import write_records

        write_records(path, (bytes_example({"text": [text.encode()], "other": [b"x"]}) for text in texts))
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"text": texts, "n": [1, 2]}), path)
    elif path.suffix == ".gz":
        import gzip

        path.write_bytes(gzip.compress("".join(json.dumps({"text": text}) + "\n" for text in texts).encode()))
    else:
        rows = {
            ".tsv": ["text\tn", *(f"{text}\t1" for text in texts)],
            ".csv": ["text,n", *(f'"{text}",1' for text in texts)],
            ".txt": texts,
        }[path.suffix]
        path.write_text("\n".join(rows) + "\n")


def test_a_folder_and_a_glob_are_read_file_by_file(exported: TinyRun, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    write(tmp_path / "in" / "b.jsonl", {"text": "a"})
    write(tmp_path / "in" / "deep" / "c.jsonl", {"text": "a"})
    (tmp_path / "in" / "a.txt").write_text("a\n")
    for path, ids in (
        (tmp_path / "in", ["a.txt:1", "b.jsonl:1", "deep/c.jsonl:1"]),
        (tmp_path / "in" / "*.jsonl", ["b.jsonl:1"]),
    ):
        output = tmp_path / f"out-{len(ids)}"
        infer(changed(exported.recipe, id=None, shards=1), exported.export, output, Silent(), input=path)
        lines = (output / "predictions-00000-of-00001.jsonl").open()
        assert [json.loads(line)["id"] for line in lines] == ids
