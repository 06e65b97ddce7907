"""The examples stage: every shard of records becomes the same shard of token ids."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apache_beam as beam

from lstmlm.beam import WriteJson, read_json, run_pipeline
from lstmlm.corpus.shards import SPLITS, records_in_files, shard_files, write_examples
from lstmlm.progress import Progress
from lstmlm.publish import Draft, Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.recipe import Recipe
from lstmlm.runner import Runner
from lstmlm.task import load_task
from lstmlm.tokenizer import MODEL_FILE, Tokenizer

if TYPE_CHECKING:
    import tensorflow as tf

EXAMPLES_VERSION = 1
"""Raise it with every change that makes `build_examples` write other bytes."""

KIND = "examples"


def build_examples(
    recipe: Recipe, records: Path, tokenizer: Path, output: Path, progress: Progress, *, runner: Runner | None = None
) -> Manifest:
    """Encodes the records of both splits as the task says and publishes the examples.

    The facts hold, for each split, `records`, `examples`, `tokens` and what was cut.

    Args:
        recipe: The run; `examples` and `task` are used.
        records: A records folder.
        tokenizer: A tokenizer folder.
        output: The folder to publish; a no-op where it holds this result.
        progress: Told how far it is.
        runner: Where the pipeline runs; absent: in this process.

    Raises:
        UserError: An input folder is not what it should be.
    """
    inputs = [read_manifest(records, "records").fingerprint, read_manifest(tokenizer, "tokenizer").fingerprint]
    section = recipe.examples.model_dump(mode="json", exclude={"buckets"})
    stamp = fingerprint(KIND, EXAMPLES_VERSION, recipe.task, section, inputs)
    if is_finished(output, KIND, stamp):
        return read_manifest(output, KIND)
    jobs = [(split, str(file)) for split in SPLITS for file in shard_files(records, split)]
    with publish(output, KIND, stamp) as draft:
        progress.update(0, len(jobs), unit="shards", note="encoding")
        draft.facts["splits"] = _encode(recipe, jobs, tokenizer / MODEL_FILE, draft, runner)
    progress.update(len(jobs), len(jobs), unit="shards")
    return read_manifest(output, KIND)


def _encode(
    recipe: Recipe, jobs: list[tuple[str, str]], tokenizer: Path, draft: Draft, runner: Runner | None
) -> dict[str, dict[str, int]]:
    """Writes the shards and returns the counts of each split."""
    for split in SPLITS:
        (draft.path / f"Split-{split}").mkdir()
    results = draft.path / "counts.json"

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Shards" >> beam.Create(jobs)
            | beam.Reshuffle()
            | "Encode" >> beam.ParDo(EncodeShard(recipe, tokenizer, draft.path))
            | "Counts" >> WriteJson(results)
        )

    run_pipeline(build, runner)
    totals: dict[str, collections.Counter[str]] = {split: collections.Counter() for split in SPLITS}
    for split, _, counts in read_json(results):
        totals[split].update(counts)
    results.unlink()
    return {split: dict(sorted(counts.items())) for split, counts in totals.items()}


class EncodeShard(beam.DoFn):
    """Encodes a shard of records, given as `(split, file)`; yields `(split, name, counts)`."""

    def __init__(self, recipe: Recipe, tokenizer: Path, folder: Path) -> None:
        super().__init__()
        self._recipe = recipe
        self._tokenizer_path = tokenizer
        self._folder = folder

    def setup(self) -> None:
        """Loads the task and the vocabulary once a worker."""
        self._task = load_task(self._recipe.task)
        self._tokenizer = Tokenizer(self._tokenizer_path)

    def process(self, job: tuple[str, str]) -> Iterator[Any]:
        """See the class; holds the texts of one shard, because windows cross records."""
        split, file = job
        records = list(records_in_files([Path(file)]))
        counts = {"records": len(records)}
        examples = self._task.encode(records, self._tokenizer, self._recipe, counts)
        path = self._folder / f"Split-{split}" / Path(file).name
        written = write_examples(path, map(int64_example, examples))
        if written != counts.get("examples", 0):
            raise RuntimeError(f"{path.name}: wrote {written} examples, and the task counted {counts}")
        yield split, path.name, counts


def int64_example(features: Mapping[str, list[int]]) -> tf.train.Example:
    """Returns a `tf.train.Example` with int64 features."""
    import tensorflow as tf

    fields = {name: tf.train.Feature(int64_list=tf.train.Int64List(value=ids)) for name, ids in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=fields))
