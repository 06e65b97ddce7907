"""The examples stage: tokenises each shard of records into a shard of training examples."""

from __future__ import annotations

import collections
import gc
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam

from lstmlm.examples.index import IndexBuilder
from lstmlm.examples.serialise import serialized_examples
from lstmlm.progress import Progress
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.folder import Draft, Manifest, read_manifest
from lstmlm.publish.lineage import inherited
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record
from lstmlm.records.shards import SPLITS, records_in_files, shard_files
from lstmlm.records.tfrecord import write_records
from lstmlm.runners.pipeline import WriteJson, read_json, run_pipeline
from lstmlm.runners.runner import Runner
from lstmlm.stages import STAGES
from lstmlm.storage import place
from lstmlm.task import Task, load_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.identity import vocabulary_facts

STAGE = STAGES["examples"]
BLOCK_CHARACTERS = 1 << 19
"""Text, or bytes of columns, encoded at once, about: small blocks cost time, and large ones memory."""


def build_examples(
    recipe: Recipe, records: Path, tokenizer: Path, output: Path, progress: Progress, *, runner: Runner | None = None
) -> Manifest:
    """Encodes the records of both splits as the task says and publishes the examples.

    The facts hold, for each split, `records`, `examples`, `tokens` and what was cut, and the `vocabulary` of the ids
    (see `lstmlm.tokenizer.identity`).

    Args:
        recipe: The run; `examples` and `task` are used.
        records: A records folder, or the URL of one in a store.
        tokenizer: A tokenizer folder, or the URL of one; each machine then has a copy in its cache.
        output: The folder to publish, or the URL of one in a store; a no-op where it holds this result.
        progress: Receives the progress of the stage.
        runner: Where the pipeline runs; absent: in this process.

    Raises:
        UserError: An input folder is not what it should be.
    """
    records, tokenizer, output = place(records), place(tokenizer), output_place(output)
    pieces = read_manifest(tokenizer, "tokenizer", verify=True)
    made_from = read_manifest(records, "records")
    inputs = [made_from.fingerprint, pieces.fingerprint]

    def write(draft: Draft) -> None:
        jobs = [(split, str(file)) for split in SPLITS for file in shard_files(records, split)]
        progress.update(0, len(jobs), unit="shards", note="encoding")
        draft.facts["vocabulary"] = vocabulary_facts(pieces)
        draft.facts |= inherited(made_from)
        draft.facts["splits"] = _encode(recipe, jobs, tokenizer, draft, runner)
        progress.update(len(jobs), len(jobs), unit="shards")

    return STAGE.publish(output, STAGE.stamp(*STAGE.decided(recipe).values(), inputs), write)


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
        self._tokenizer_folder = tokenizer
        self._folder = folder

    def setup(self) -> None:
        """Loads the task and the vocabulary once per worker."""
        self._task = load_task(self._recipe.task)
        self._tokenizer = Tokenizer(tokenizer_file(local_copy(self._tokenizer_folder)))
        # Encoding makes many short-lived objects; a collection on their account need not walk over Beam's modules.
        gc.freeze()

    def teardown(self) -> None:
        """Undoes what `setup` did to the garbage collector."""
        gc.unfreeze()

    def process(self, job: tuple[str, str]) -> Iterator[Any]:
        """See the class; holds one block of records at a time."""
        split, file = job
        source = place(file)
        path = self._folder / f"Split-{split}" / source.name
        yield split, path.name, encode_shard(source, path, self._task, self._tokenizer, self._recipe)


def encode_shard(
    source: Path, target: Path, task: Task, tokenizer: Tokenizer, recipe: Recipe
) -> collections.Counter[str]:
    """Encodes a shard of records into a shard of examples, and writes its index next to it.

    Args:
        source: The TFRecord file of records.
        target: The TFRecord file of examples to write.
        task: Decides what an example is.
        tokenizer: The vocabulary.
        recipe: The run.

    Returns:
        `records`, `examples`, `tokens` and what was cut.
    """
    counts = collections.Counter({"records": 0, "examples": 0, "tokens": 0})
    blocks = _blocks(records_in_files([source]), counts)
    index = IndexBuilder()

    def payloads() -> Iterator[list[bytes]]:
        for features in task.encode(blocks, tokenizer, recipe, counts):
            serialized = serialized_examples(features)
            index.add(serialized, features)
            yield serialized

    written = write_records(target, itertools.chain.from_iterable(payloads()))
    index.write(target)
    if written != counts["examples"]:
        raise RuntimeError(f"{target.name}: wrote {written} examples, and the task counted {dict(counts)}")
    return counts


def _bytes(record: Record) -> int:
    return sum(len(value) for value in record.columns.values() if isinstance(value, bytes)) if record.columns else 0


def _blocks(records: Iterator[Record], counts: collections.Counter[str]) -> Iterator[list[Record]]:
    block: list[Record] = []
    size = 0
    for record in records:
        block.append(record)
        size += sum(map(len, record.texts())) + _bytes(record)
        if size >= BLOCK_CHARACTERS:
            counts["records"] += len(block)
            yield block
            block, size = [], 0
    counts["records"] += len(block)
    if block:
        yield block
