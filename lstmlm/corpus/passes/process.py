"""The passes over a corpus: read and clean into parts, find copies among them, join what is left to shards.

Between two passes, data is stored in files in a scratch folder below the draft, and what travels between them is names
and counts: so memory does not grow with the corpus, on any runner.
"""

from __future__ import annotations

import collections
import logging
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from lstmlm.corpus.dedup.copies import find_copies
from lstmlm.corpus.passes.file_ranges import SplitFiles
from lstmlm.corpus.passes.ids import USE_MARK, refuse_repeated_ids, use_mark
from lstmlm.corpus.passes.join import Gather, Jobs, JoinShard, Part, Scatter, contiguous, run_jobs
from lstmlm.corpus.passes.parts import ReadBlocks, WriteParts, dead_path, excluded_path, part_path
from lstmlm.corpus.passes.sinks import Sink
from lstmlm.corpus.report.accounts import add_early_losses, check_left, check_sum, check_usable
from lstmlm.corpus.report.report import write_report
from lstmlm.corpus.report.summary import Summary, totals
from lstmlm.corpus.report.warnings import warnings
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.sources.listing_notes import listing_notes
from lstmlm.corpus.sources.mixture import check_mixture, file_weight
from lstmlm.corpus.sources.snapshot import Snapshot
from lstmlm.corpus.steps.chain import steps
from lstmlm.corpus.steps.each_block import EachBlock
from lstmlm.corpus.steps.evaluation_texts import index_evaluation_texts
from lstmlm.corpus.steps.privacy.published import scrubbed, scrubber_of, with_public_names
from lstmlm.progress import Progress
from lstmlm.publish.folder import Draft
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import SPLITS, concatenate
from lstmlm.runners.pipeline import WriteJson, read_json, run_pipeline
from lstmlm.runners.runner import Runner
from lstmlm.task import load_task

logger = logging.getLogger(__name__)

DEAD_LETTERS = "dead_letters.jsonl"
EXCLUSIONS = "exclusions.jsonl.gz"
MIN_SHARDS = 4
"""Shards of a split at least, where their number follows from the size: readers take turns to mix a sorted corpus."""

GROUP_BYTES = 64_000_000
"""Bytes of parts that one job of a shuffle holds."""


def process(
    recipe: Recipe,
    found: Snapshot,
    sink: Sink,
    draft: Draft,
    progress: Progress,
    *,
    held_out: bool,
    runner: Runner | None,
) -> None:
    """Runs all passes; the shards, the dead letters, the exclusions and the report are in the draft afterwards.

    Args:
        recipe: The run; `corpus`, `task` and `seed` are used.
        found: The files of its corpus.
        sink: The form of the shards.
        draft: The folder being written; its facts get `counts`, `splits` and `shards`.
        progress: Receives the progress of the stage.
        held_out: Whether there must be a valid split.
        runner: Where the pipelines run; None: in this process.

    Raises:
        UserError: Something about the corpus the user must fix.
        RuntimeError: The counts do not add up.
    """
    scratch = draft.path / ".parts"
    scratch.mkdir()
    listing, files = found.listing, found.listing.files
    check_mixture([file.name for file in files if file.split != "valid"], recipe.corpus.mixture)
    progress.update(0, len(files), unit="files", note="reading")
    noted = listing_notes(listing, found.checksums, valid_named=recipe.corpus.valid is not None)
    for note in scrubbed(noted, scrubber_of(recipe.corpus.privacy)):
        logger.warning("%s", note)
    evaluation = index_evaluation_texts(recipe, found.evaluation, scratch / "contamination")
    summaries = read_parts(recipe, files, scratch, runner)
    counts = totals(summaries)
    check_sum(counts)
    parts = _parts(summaries, files, scratch, recipe)
    if recipe.corpus.id is not None:
        refuse_repeated_ids([part.path for found in parts.values() for part in found])
    check_usable(counts, summaries, recipe, held_out=held_out, files=files)
    if recipe.corpus.duplicates.exact or recipe.corpus.duplicates.near is not None:
        progress.update(0, counts["kept"], unit="records", note="comparing")
        parts = find_copies(parts, recipe.corpus.duplicates, scratch, runner)
    progress.update(0, counts["kept"], unit="records", note="writing shards")
    shards = _shards(summaries, recipe)
    jobs = Jobs(sink, shards, recipe.seed, scratch, recipe.corpus.exclusions, _mark(parts, recipe))
    splits, lost = write_shards(parts, jobs, recipe, runner)
    counts["kept"] -= lost.total()
    counts["dropped"] = dict(sorted((collections.Counter(counts["dropped"]) + lost).items()))
    check_sum(counts)
    add_early_losses(splits, summaries)
    check_left(splits, recipe)
    _join_text(summaries, scratch, draft.path, recipe)
    scrubber = scrubber_of(recipe.corpus.privacy)
    left_out = scrubbed([[one.name, one.reason] for one in listing.left_out], scrubber)
    compared = scrubbed([file.row() for file in evaluation], scrubber)
    warned = scrubbed([*noted, *warnings(counts, splits, recipe)], scrubber)
    for warning in warned[len(noted) :]:
        logger.warning("%s", warning)
    draft.facts.update(evaluation_texts=compared, warnings=warned)
    draft.facts.update(counts=counts, splits=splits, shards=shards, files=len(files), left_out=left_out)
    write_report(draft.path, recipe, draft.facts, summaries, scrubber)
    shutil.rmtree(scratch)
    progress.update(counts["in"], counts["in"], unit="rows")


def read_parts(recipe: Recipe, files: Sequence[CorpusFile], scratch: Path, runner: Runner | None) -> list[Summary]:
    """Writes the parts of every file and returns the accounts of their blocks, in corpus order."""
    contamination = scratch / "contamination"
    valid_files = [file.index for file in files if file.split == "valid"]
    results = scratch / "summaries.json"

    def build(pipeline: beam.Pipeline) -> None:
        blocks = (
            pipeline
            | "Files" >> beam.Create(with_public_names(files, scrubber_of(recipe.corpus.privacy)))
            | "Ranges" >> SplitFiles(recipe.corpus)
            | "Read" >> beam.ParDo(ReadBlocks(recipe))
        )
        index = contamination if recipe.corpus.decontamination.files else None
        for n, step in enumerate(steps(recipe.corpus, index, load_task(recipe.task).further_texts)):
            blocks = blocks | f"{n}: {type(step).__name__}" >> EachBlock(step, valid_files)
        _ = blocks | "Write" >> beam.ParDo(WriteParts(recipe, files, scratch)) | "Summaries" >> WriteJson(results)

    run_pipeline(build, runner)
    return [Summary.from_row(row) for row in read_json(results)]


def _parts(
    summaries: Sequence[Summary], files: Sequence[CorpusFile], scratch: Path, recipe: Recipe
) -> dict[str, list[Part]]:
    """Returns the parts of each split, in corpus order; train comes first, so of two copies the one in train stays."""
    weights = {file.index: file_weight(file.name, recipe.corpus.mixture) for file in files}
    return {
        split: [
            Part(
                part_path(scratch, summary.file, summary.index, split),
                summary.kept[split],
                weights[summary.file] if split == "train" else 1.0,
            )
            for summary in summaries
            if split in summary.kept
        ]
        for split in SPLITS
    }


def _mark(parts: Mapping[str, Sequence[Part]], recipe: Recipe) -> str:
    """Returns what comes between an id and the number of a further use; an id `file:line` has no such ending."""
    if recipe.corpus.id is None or all(part.weight <= 1 for part in parts["train"]):
        return USE_MARK
    return use_mark(part.path for found in parts.values() for part in found)


def _shards(summaries: Sequence[Summary], recipe: Recipe) -> int:
    if recipe.corpus.shards is not None:
        return recipe.corpus.shards
    largest = max(sum(summary.size.get(split, 0) for summary in summaries) for split in SPLITS)
    return max(MIN_SHARDS, math.ceil(largest / recipe.corpus.shard_bytes))


def write_shards(
    parts: dict[str, list[Part]], jobs: Jobs, recipe: Recipe, runner: Runner | None
) -> tuple[dict[str, dict[str, Any]], collections.Counter[str]]:
    """Joins the parts to shards.

    Returns:
        `records`, `bytes` and `dropped` (reason -> records lost on the way) of each split, and reason -> records lost
        of all splits.
    """
    splits: dict[str, dict[str, Any]] = {
        split: {"records": 0, "bytes": 0, "dropped": collections.Counter()} for split, found in parts.items() if found
    }
    if recipe.corpus.shuffle:
        rows = _shuffled(parts, jobs, splits, runner)
    else:
        joins = [
            (split, shard, group)
            for split in splits
            for shard, group in enumerate(contiguous(parts[split], jobs.shards))
        ]
        rows = run_jobs(joins, JoinShard(jobs), jobs.scratch / "shards.json", runner)
    for split, _, written, size, dropped in rows:
        splits[split]["records"] += written
        splits[split]["bytes"] += size
        splits[split]["dropped"].update(dropped)
    return splits, sum((facts["dropped"] for facts in splits.values()), collections.Counter())


def _shuffled(
    parts: dict[str, list[Part]], jobs: Jobs, splits: dict[str, dict[str, Any]], runner: Runner | None
) -> list[list[Any]]:
    """Shuffles through files, in two rounds of jobs; returns the rows of the shards, and counts what is lost."""
    groups = {
        split: max(1, math.ceil(sum(part.path.stat().st_size for part in found) / GROUP_BYTES))
        for split, found in parts.items()
        if found
    }
    scatters = [
        (split, number, group)
        for split, count in groups.items()
        for number, group in enumerate(contiguous(parts[split], count))
    ]
    for split, _, _, _, dropped in run_jobs(scatters, Scatter(jobs), jobs.scratch / "scattered.json", runner):
        splits[split]["dropped"].update(dropped)
    gathers = [(split, shard, count) for split, count in groups.items() for shard in range(jobs.shards)]
    return run_jobs(gathers, Gather(jobs), jobs.scratch / "shards.json", runner)


def _join_text(summaries: Sequence[Summary], scratch: Path, folder: Path, recipe: Recipe) -> None:
    """Joins dead letters and exclusions, in corpus order; records lost in the last passes come after the others."""
    dead = [dead_path(scratch, summary.file, summary.index) for summary in summaries if summary.dead]
    concatenate(dead, folder / DEAD_LETTERS)
    if recipe.corpus.exclusions:
        early = [excluded_path(scratch, summary.file, summary.index) for summary in summaries if summary.excluded]
        concatenate([*early, *sorted(scratch.glob("late-*.excluded.jsonl.gz"))], folder / EXCLUSIONS)
