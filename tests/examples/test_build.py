"""The examples stage, from records and a vocabulary made of Python's own help texts."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest
import tensorflow as tf

from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.examples.build import build_examples
from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest, sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in, shard_files
from lstmlm.records.tfrecord import read_records
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.stage import train_tokenizer

pytestmark = pytest.mark.slow


def recipe(root: Path, task: str) -> Recipe:
    pair = {"source": "q", "target": "a"} if task == "translate" else {}
    return Recipe.model_validate(
        {
            "name": "test",
            "task": task,
            "corpus": {"root": root, "train": "a.jsonl", "valid_fraction": 0.1, "shards": 2, **pair},
            "tokenizer": {"vocabulary": 500},
            "examples": {"window": 16, "max_source": 12, "max_target": 20},
        }
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    lines = [line for name in sorted(topics)[:12] for line in topics[name].splitlines() if line.strip()]
    rows = [{"text": line, "q": line, "a": [line.upper(), line]} for line in lines]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for task in ("generate", "translate"):
        run = recipe(folder, task)
        ingest(run, folder / task / "records", Silent())
        train_tokenizer(run, folder / task / "records", folder / task / "tokenizer", Silent())
    return folder


def build(root: Path, task: str, output: Path) -> Manifest:
    folder = root / task
    return build_examples(recipe(root, task), folder / "records", folder / "tokenizer", output, Silent())


def features(folder: Path, split: str, name: str) -> list[list[int]]:
    return [
        list(tf.train.Example.FromString(serialized).features.feature[name].int64_list.value)
        for file in shard_files(folder, split)
        for serialized in read_records(file)
    ]


def test_windows_hold_the_stream_of_each_shard(root: Path, tmp_path: Path) -> None:
    manifest = build(root, "generate", tmp_path / "out")
    tokenizer = Tokenizer(root / "generate/tokenizer/tokenizer.model")
    texts = [record.source for record in records_in(root / "generate/records", "valid")]
    targets = [token for window in features(tmp_path / "out", "valid", "tokens") for token in window[1:]]
    assert targets == [token for text in texts for token in [*tokenizer.encode(text), tokenizer.END]]
    facts = manifest.facts["splits"]["valid"]
    assert facts["records"] == len(texts)
    assert facts["tokens"] == len(targets)
    assert facts["examples"] == len(features(tmp_path / "out", "valid", "tokens"))


def test_pairs_are_one_a_target_and_cuts_are_counted(root: Path, tmp_path: Path) -> None:
    facts = build(root, "translate", tmp_path / "out").facts["splits"]["train"]
    sources = features(tmp_path / "out", "train", "source")
    assert len(sources) == facts["examples"] == 2 * facts["records"]
    assert max(map(len, sources)) == 12
    assert facts["truncated_source"] > 0
    files = shard_files(tmp_path / "out", "train")
    batch: dict[str, Any] = next(
        load_task("translate").batches(files, recipe(root, "translate"), epoch=0).as_numpy_iterator()
    )
    assert len(batch["source"]) == len(batch["target"])


def test_the_size_of_blocks_changes_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {task: build(root, task, tmp_path / task / "whole") for task in ("generate", "translate")}
    monkeypatch.setattr("lstmlm.examples.build.BLOCK_CHARACTERS", 100)
    for task, manifest in whole.items():
        assert build(root, task, tmp_path / task / "parts") == manifest


def test_the_garbage_collector_is_left_as_it_was(root: Path, tmp_path: Path) -> None:
    build(root, "generate", tmp_path / "out")
    assert gc.get_freeze_count() == 0


def test_rerun_writes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    first = build(root, "generate", tmp_path / "one")
    assert build(root, "generate", tmp_path / "one") == first
    assert build(root, "generate", tmp_path / "two") == first
    digest = sha256_file(root / "generate/tokenizer/tokenizer.model")
    assert first.facts["vocabulary"] == {"size": 500, "fingerprint": digest}


def test_unfinished_input_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a finished result"):
        build_examples(recipe(root, "generate"), tmp_path, root / "generate/tokenizer", tmp_path / "out", Silent())
    with pytest.raises(UserError, match="expected a folder of kind `tokenizer`"):
        records = root / "generate/records"
        build_examples(recipe(root, "generate"), records, records, tmp_path / "out", Silent())
