"""Ingest: raw files become checked, split and sharded records, and every line is accounted for."""

from __future__ import annotations

import collections
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from lstmlm.beam import WriteJson, read_json, run_pipeline
from lstmlm.corpus.files import CorpusFile, corpus_files, corpus_fingerprint
from lstmlm.corpus.parts import MakeParts, RefuseDuplicates, dead_path, part_path
from lstmlm.corpus.shards import SPLITS, count_records, join_parts, shard_path
from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish import Draft, Manifest, is_finished, publish, read_manifest
from lstmlm.recipe import Recipe
from lstmlm.runner import Runner

KIND = "records"
DEAD_LETTERS = "dead_letters.jsonl"


def ingest(recipe: Recipe, output: Path, progress: Progress, *, runner: Runner | None = None) -> Manifest:
    """Reads the corpus of a recipe and publishes its records.

    The records of a split lie in corpus order over its shards; every shard exists. Malformed lines are in
    `dead_letters.jsonl`. The facts hold `counts` (`in`, `kept`, `dropped` and `dead_by_reason` by reason, `dead`),
    `splits` (`records` and `bytes` of each) and `shards`.

    Args:
        recipe: The run; `corpus`, `task` and `seed` are used.
        output: The folder to publish; a no-op where it holds this result.
        progress: Told how far it is.
        runner: Where the pipelines run; absent: in this process.

    Raises:
        UserError: Something about the corpus the user must mend; nothing is published.
    """
    progress.update(0, unit="files", note="hashing")
    stamp = corpus_fingerprint(recipe)
    if is_finished(output, KIND, stamp):
        return read_manifest(output, KIND)
    files = corpus_files(recipe)
    with publish(output, KIND, stamp) as draft:
        scratch = draft.path / ".parts"
        scratch.mkdir()
        progress.update(0, len(files), unit="files", note="reading")
        summaries = _read(recipe, files, scratch, runner)
        counts = total(summaries)
        check(counts, summaries, recipe)
        progress.update(counts["kept"], counts["in"], unit="records", note="writing shards")
        splits = _join(recipe, summaries, scratch, draft, runner)
        if sum(split["records"] for split in splits.values()) != counts["kept"]:
            raise RuntimeError(f"the shards hold {splits}, and the records kept are {counts['kept']}")
        shutil.rmtree(scratch)
        draft.facts.update(counts=counts, splits=splits, shards=recipe.corpus.shards)
    progress.update(counts["in"], counts["in"], unit="records")
    return read_manifest(output, KIND)


def _read(recipe: Recipe, files: Sequence[CorpusFile], scratch: Path, runner: Runner | None) -> list[Any]:
    """Writes the parts of every file and returns the summaries of their blocks, in corpus order."""
    results = scratch / "summaries.json"

    def build(pipeline: beam.Pipeline) -> None:
        made = (
            pipeline
            | "Files" >> beam.Create(files)
            | beam.Reshuffle()
            | "Parts" >> beam.ParDo(MakeParts(recipe, scratch)).with_outputs("ids", main="summaries")
        )
        _ = made.summaries | "Summaries" >> WriteJson(results)
        _ = made.ids | "Ids" >> beam.GroupByKey() | "Duplicates" >> beam.ParDo(RefuseDuplicates())

    run_pipeline(build, runner)
    return list(read_json(results))


def total(summaries: Sequence[Any]) -> dict[str, Any]:
    """Adds up the summaries of all blocks (see `Block.summary`) to the `counts` of the manifest."""
    dropped: collections.Counter[str] = collections.Counter()
    dead: collections.Counter[str] = collections.Counter()
    lines = kept = 0
    for _, _, block_lines, block_kept, block_dropped, block_dead, _ in summaries:
        lines += block_lines
        kept += sum(block_kept.values())
        dropped.update(block_dropped)
        dead.update(block_dead)
    by_reason = dict(sorted(dead.items()))
    return {
        "in": lines,
        "kept": kept,
        "dropped": dict(sorted(dropped.items())),
        "dead": dead.total(),
        "dead_by_reason": by_reason,
    }


def check(counts: dict[str, Any], summaries: Sequence[Any], recipe: Recipe) -> None:
    """Checks that every line is accounted for and that the corpus can be used.

    Raises:
        UserError: Too many dead letters, or a split without records.
        RuntimeError: The counts do not add up.
    """
    if counts["in"] != counts["kept"] + sum(counts["dropped"].values()) + counts["dead"]:
        raise RuntimeError(f"lines are unaccounted for: {counts}")
    corpus = recipe.corpus
    where = str(corpus.root / corpus.train)
    if counts["dead"] > corpus.max_dead_fraction * counts["in"]:
        raise _too_many_dead(counts, summaries, recipe)
    if not counts["kept"]:
        raise UserError("the corpus is empty: no line became a record", where=where, cure="Check corpus.train")
    filled = {split for summary in summaries for split in summary[3]}
    if "train" not in filled:
        cure = "Check corpus.train" if corpus.valid is not None else "Lower corpus.valid_fraction"
        raise UserError("the train split is empty", where=where, cure=cure)
    if "valid" not in filled:
        if corpus.valid is not None:
            raise UserError("the valid split is empty", where=str(corpus.root / corpus.valid), cure="Check the file")
        cure = "Raise corpus.valid_fraction, add records, or name a file in corpus.valid"
        raise UserError("the valid split is empty", where=where, cure=cure)


def _too_many_dead(counts: dict[str, Any], summaries: Sequence[Any], recipe: Recipe) -> UserError:
    allowed = recipe.corpus.max_dead_fraction
    reason, often = max(counts["dead_by_reason"].items(), key=lambda item: item[1])
    first = next(summary[6] for summary in summaries if summary[6] is not None)
    what = (
        f"{counts['dead']} of {counts['in']} lines are malformed ({counts['dead'] / counts['in']:.2%}, and "
        f"corpus.max_dead_fraction allows {allowed:.2%}), most often ({often}): {reason}; here: {first['reason']}"
    )
    where = f"{recipe.corpus.root / first['file']}:{first['line']}"
    return UserError(what, where=where, cure="Mend the corpus or raise corpus.max_dead_fraction")


def shard_jobs(
    summaries: Sequence[Any], shards: int, scratch: Path, folder: Path
) -> Iterator[tuple[str, str, list[str]]]:
    """Yields `(split, shard, parts)` for every shard: blocks stay whole, and shards in order give the corpus order."""
    for split in SPLITS:
        parts = [str(part_path(scratch, summary[0], summary[1], split)) for summary in summaries if split in summary[3]]
        for shard in range(shards):
            # Part b goes to shard floor(b * shards / parts).
            first, last = (-(-len(parts) * bound // shards) for bound in (shard, shard + 1))
            yield split, str(shard_path(folder, split, shard, shards)), parts[first:last]


def _join(
    recipe: Recipe, summaries: Sequence[Any], scratch: Path, draft: Draft, runner: Runner | None
) -> dict[str, dict[str, int]]:
    """Joins the parts to shards and dead letters; returns records and bytes of each split."""
    for split in SPLITS:
        (draft.path / f"Split-{split}").mkdir()
    dead = [dead_path(scratch, summary[0], summary[1]) for summary in summaries if summary[5]]
    join_parts(dead, draft.path / DEAD_LETTERS)
    jobs = list(shard_jobs(summaries, recipe.corpus.shards, scratch, draft.path))
    results = scratch / "shards.json"

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Shards" >> beam.Create(jobs)
            | beam.Reshuffle()
            | "Join" >> beam.MapTuple(_join_shard)
            | "Results" >> WriteJson(results)
        )

    run_pipeline(build, runner)
    splits = {split: {"records": 0, "bytes": 0} for split in SPLITS}
    for split, records, size in read_json(results):
        splits[split]["records"] += records
        splits[split]["bytes"] += size
    return splits


def _join_shard(split: str, shard: str, parts: list[str]) -> tuple[str, int, int]:
    path = Path(shard)
    join_parts([Path(part) for part in parts], path)
    return split, count_records(path), path.stat().st_size
