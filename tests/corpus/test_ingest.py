"""The ingest stage as a whole, on small corpora written by the tests."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.corpus.passes.extents import Extent, Part, contiguous
from lstmlm.corpus.report.accounts import check_sum
from lstmlm.corpus.sources.snapshot import corpus_fingerprint
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record
from lstmlm.records.shards import records_in, records_in_files, shard_files
from lstmlm.records.tfrecord import count_records


def recipe(root: Path, task: str = "generate", **corpus: Any) -> Recipe:
    return Recipe.model_validate({"name": "test", "task": task, "corpus": {"root": root, **corpus}})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    root = tmp_path / "corpus"
    root.mkdir()
    lines = [f"line {n}" if n % 10 else "" for n in range(5000)]
    (root / "train-a.txt").write_text("\n".join(lines) + "\n")
    with gzip.open(root / "train-b.txt.gz", "wt") as stream:
        stream.write("\n".join(f"zipped {n}" for n in range(1500)))
    (root / "valid.txt").write_text("held out\n")
    return root


def test_shards_in_order_give_the_corpus_order(corpus: Path, tmp_path: Path) -> None:
    run = recipe(corpus, train="train-*", valid="valid.txt", shards=3)
    manifest = ingest(run, tmp_path / "out", Silent())
    texts = [record.source for record in records_in(tmp_path / "out", "train")]
    assert texts == [f"line {n}" for n in range(5000) if n % 10] + [f"zipped {n}" for n in range(1500)]
    assert list(records_in(tmp_path / "out", "valid")) == [Record("valid.txt:1", "held out")]
    sizes = [count_records(file) for file in shard_files(tmp_path / "out", "train")]
    assert len(sizes) == 3
    assert min(sizes) > 1000
    assert manifest.facts["counts"] == {
        "in": 6501, "kept": 6001, "dropped": {"blank": 500}, "dead": 0, "dead_by_reason": {},
    }  # fmt: skip
    assert manifest.facts["splits"]["train"]["records"] == 6000
    assert manifest.facts["shards"] == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "Split-train", "Split-valid", "dead_letters.jsonl", "manifest.json", "report.html", "report.json",
    ]  # fmt: skip


def test_rerun_is_a_no_op_and_a_fresh_run_writes_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    run = recipe(corpus, train="train-*", valid_fraction=0.1)
    ingest(run, tmp_path / "one", Silent())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*")}
    ingest(run, tmp_path / "one", Silent())
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*")}
    ingest(run, tmp_path / "two", Silent())
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    read_manifest(tmp_path / "two", "records", verify=True)


def test_hash_split_takes_every_record_once(corpus: Path, tmp_path: Path) -> None:
    facts = ingest(recipe(corpus, train="train-*", valid_fraction=0.1), tmp_path / "out", Silent()).facts
    ids = [record.id for split in ("train", "valid") for record in records_in(tmp_path / "out", split)]
    assert len(ids) == len(set(ids)) == 6000
    assert 450 < facts["splits"]["valid"]["records"] < 750


def test_dead_letters_name_file_line_and_reason(tmp_path: Path) -> None:
    pairs = b"en\tfr\n" + b"hi\tsalut\n" * 3 + b"one\n\tvide\nbad\xff\tx\n" + b"x" * 99 + b"\ty\n\nbye\tau revoir\n"
    (tmp_path / "a.tsv").write_bytes(pairs)
    zipped = gzip.compress(b"en\tfr\n" + b"".join(os.urandom(9).hex().encode() + b"\tfr\n" for _ in range(3000)))
    (tmp_path / "b.tsv.gz").write_bytes(zipped[:-2000])
    run = recipe(
        tmp_path, "translate", train="*.tsv*", source="en", target="fr",
        max_line_bytes=90, max_dead_fraction=0.5, valid_fraction=0.2,
    )  # fmt: skip
    manifest = ingest(run, tmp_path / "out", Silent())
    letters = [json.loads(line) for line in (tmp_path / "out/dead_letters.jsonl").read_text().splitlines()]
    assert letters[:3] == [
        {"file": "a.tsv", "line": 5, "reason": "wrong number of columns: 1, and the header has 2"},
        {"file": "a.tsv", "line": 7, "reason": "invalid UTF-8: byte 4"},
        {"file": "a.tsv", "line": 8, "reason": "longer than 90 bytes"},
    ]
    assert (letters[3]["file"], letters[3]["reason"]) == ("b.tsv.gz", "gzip ends early")
    counts = manifest.facts["counts"]
    assert counts["dead"] == len(letters) == 4
    assert counts["dead_by_reason"]["wrong number of columns"] == 1
    assert counts["in"] == counts["kept"] + counts["dropped"]["blank"] + counts["dead"]
    assert counts["kept"] > 1000
    assert next(r for r in records_in(tmp_path / "out", "train") if r.id.startswith("a.tsv")).targets


def test_lists_of_targets_and_named_ids_are_kept(tmp_path: Path) -> None:
    rows = [{"id": n, "q": f"q{n}", "a": ["x", "y"]} for n in range(100)] + [{"q": "no id", "a": "z"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = recipe(tmp_path, "translate", train="a.jsonl", source="q", target="a", id="id", valid_fraction=0.2)
    counts = ingest(run, tmp_path / "out", Silent()).facts["counts"]
    assert counts["dead_by_reason"] == {"no id in column 'id'": 1}
    first = next(records_in(tmp_path / "out", "train"))
    assert first.targets == ("x", "y")
    assert first.id.isdigit()


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        ({}, {}, "no such file in the corpus"),
        ({"a.doc": "x"}, {"train": "a.doc"}, "unknown kind of corpus file"),
        ({"a.txt": ""}, {}, "the corpus is empty"),
        ({"a.txt": "\n\n"}, {}, "the corpus is empty"),
        ({"a.txt": "x\n" * 9, "v.txt": "\n"}, {"valid": "v.txt"}, "the valid split is empty"),
        ({"a.txt": "x\n"}, {"valid_fraction": 0.0}, "the valid split is empty.*corpus.valid_fraction"),
        ({"a.txt": "x\n"}, {"valid_fraction": 1.0}, "the train split is empty.*Lower corpus.valid_fraction"),
        ({"a.txt": "x\n"}, {"valid": "a.txt"}, "named by corpus.train and by corpus.valid"),
        ({"a.tsv": "en\tfr\na\tb\n"}, {"train": "a.tsv"}, "a.tsv:1: no column 'text'.*'en', 'fr'"),
        ({"a.tsv": "text\na\n"}, {"train": "a.tsv", "id": "key"}, "no column 'key'"),
        ({"a.txt.gz": "\1\2\3\4"}, {"train": "a.txt.gz"}, "a.txt.gz: not a gzip file"),
        ({"a.jsonl": '{"text": "x"}\n[]\n'}, {"train": "a.jsonl"}, "a.jsonl:2: 1 of 2 lines .*not a JSON object"),
        (
            {"a.jsonl": '{"id": "k7", "text": "x"}\n' * 2},
            {"train": "a.jsonl", "id": "id", "valid_fraction": 0.5},
            "duplicate id 'k7'",
        ),
        ({"a.txt": "x"}, {"train": "/a.txt"}, "is absolute"),
    ],
)
def test_what_the_user_must_fix(tmp_path: Path, files: dict[str, str], settings: dict[str, Any], message: str) -> None:
    root = tmp_path / "corpus"
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        ingest(recipe(root, **{"train": "a.txt", **settings}), tmp_path / "out", Silent())
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"corpus\.root"):
        ingest(recipe(tmp_path / "none", train="a.txt"), tmp_path / "out", Silent())


def test_lost_line_fails_the_count_check() -> None:
    with pytest.raises(RuntimeError, match="unaccounted"):
        check_sum({"in": 3, "kept": 1, "dropped": {"blank": 1}, "dead": 0})


def test_fingerprint_follows_content_and_names_not_the_place(corpus: Path, tmp_path: Path) -> None:
    first = corpus_fingerprint(recipe(corpus, train="train-*"))
    moved = corpus.rename(tmp_path / "moved")
    assert corpus_fingerprint(recipe(moved, train="train-*")) == first
    assert corpus_fingerprint(recipe(moved, train="train-*", shards=2)) != first
    with (moved / "train-a.txt").open("a") as stream:
        stream.write("more\n")
    assert corpus_fingerprint(recipe(moved, train="train-*")) != first


@pytest.mark.parametrize(("blocks", "shards"), [([], 3), ([1], 4), ([7], 3), ([1, 3, 2, 2], 4), ([1, 1, 1], 5)])
def test_block_b_goes_to_shard_floor(blocks: list[int], shards: int) -> None:
    extents = [Extent("train", 0, n, "part", 0, count, 0, count, 0, 0) for n, count in enumerate(blocks)]
    groups = list(contiguous([Part(extent, 0, extent.blocks) for extent in extents], shards))
    assert len(groups) == shards
    placed = [
        (shard, part.extent.block, block)
        for shard, group in enumerate(groups)
        for part in group
        for block in range(part.first, part.end)
    ]
    every = [(extent.block, block) for extent in extents for block in range(extent.blocks)]
    assert placed == [(b * shards // len(every), *block) for b, block in enumerate(every)]


def test_damaged_shard_is_reported(tmp_path: Path) -> None:
    shard = tmp_path / "Split-train" / "data-00000-of-00001.tfrecord"
    shard.parent.mkdir()
    shard.write_bytes(b"x" * 40)
    with pytest.raises(UserError, match="damaged"):
        list(records_in_files([shard]))
    with pytest.raises(UserError, match="no valid split"):
        records_in(tmp_path, "valid")
