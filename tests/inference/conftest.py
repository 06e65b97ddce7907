"""A published model small enough for every test: it shouts what it reads, and fails on POISON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lstmlm.publish.folder import publish
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, serialize
from lstmlm.records.tfrecord import write_records

BATCH = 4

MakeRecipe = Callable[..., Recipe]
MakeRecords = Callable[[Sequence[Record]], Path]


@pytest.fixture(scope="session")
def shouter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export folder: output is the text in capitals and the seed; tokens are bytes, of which 8 are read."""
    import tensorflow as tf

    class Shouter(tf.Module):  # type: ignore[misc]  # TensorFlow is untyped
        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.int64, "seed")]
        )
        def serve(self, text: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
            tf.debugging.assert_equal(tf.size(text), BATCH, "a batch that is not padded")
            poison = tf.strings.regex_full_match(text, "(?s).*POISON.*")
            with tf.control_dependencies([tf.debugging.assert_equal(tf.reduce_any(poison), False, "poison\nin it")]):
                output = tf.strings.join([tf.strings.upper(text, "utf-8"), tf.strings.as_string(seed % 10)], "|")
            return {
                "output": output,
                "tokens": tf.strings.length(text),
                "cut": tf.maximum(0, tf.strings.length(text) - 8),
            }

    folder = tmp_path_factory.mktemp("shouter") / "export"
    module = Shouter()
    with publish(folder, "export", "shouter-1") as draft:
        tf.saved_model.save(module, str(draft.path), signatures={"serving_default": module.serve})
        (draft.path / "model.json").write_text(json.dumps({"batch": BATCH}))
    return folder


@pytest.fixture
def recipe() -> MakeRecipe:
    """Makes a recipe with the given `inference` fields."""

    def make(*, seed: int = 1, root: str = ".", **inference: object) -> Recipe:
        corpus = {"train": "none.txt", "root": root}
        return Recipe.model_validate(
            {"name": "test", "task": "generate", "seed": seed, "corpus": corpus, "inference": inference}
        )

    return make


@pytest.fixture
def records_folder(tmp_path: Path) -> MakeRecords:
    """Makes a records folder with a valid split in two shards."""

    def make(records: Sequence[Record]) -> Path:
        half = len(records) // 2
        with publish(tmp_path / "records", "records", "records-1") as draft:
            (draft.path / "Split-valid").mkdir()
            for shard, part in enumerate((records[:half], records[half:])):
                path = draft.path / "Split-valid" / f"data-{shard:05d}-of-00002.tfrecord"
                write_records(path, map(serialize, part))
        return tmp_path / "records"

    return make
