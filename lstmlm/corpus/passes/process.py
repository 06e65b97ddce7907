"""The passes over a corpus: read and clean into parts, find copies among them, join what is left to shards.

Between two passes, data is stored in files in a scratch folder below the draft, and what travels between them is names
and counts: so memory does not grow with the corpus, on any runner.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from lstmlm.corpus.dedup.copies import find_copies
from lstmlm.corpus.passes.extents import DEAD, EXCLUDED, Extent, Part, contiguous, numbered
from lstmlm.corpus.passes.file_ranges import SplitFiles
from lstmlm.corpus.passes.ids import USE_MARK, refuse_repeated_ids
from lstmlm.corpus.passes.join import Jobs, JoinShard
from lstmlm.corpus.passes.parts import EXTENTS, LINES, ReadBlocks, WriteParts
from lstmlm.corpus.passes.shuffle import shuffle
from lstmlm.corpus.passes.sinks import Sink
from lstmlm.corpus.report.accounts import add_early_losses, check_left, check_sum, check_usable
from lstmlm.corpus.report.report import TOP_LINES, write_report
from lstmlm.corpus.report.summary import Account, totals
from lstmlm.corpus.report.sums import SumAccounts
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
from lstmlm.publish.durable import remove_folder
from lstmlm.publish.folder import Draft
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import SPLITS, concatenate_sections
from lstmlm.runners.pipeline import MostFrequent, WriteJson, read_json, run_jobs, run_pipeline
from lstmlm.runners.runner import Runner
from lstmlm.storage import place
from lstmlm.task import load_task

logger = logging.getLogger(__name__)

DEAD_LETTERS = "dead_letters.jsonl"
EXCLUSIONS = "exclusions.jsonl.gz"


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
    read = read_parts(recipe, files, scratch, runner)
    account = read.account
    counts = totals(account)
    check_sum(counts)
    parts = read.parts([file_weight(file.name, recipe.corpus.mixture) for file in files])
    every = [part for some in parts.values() for part in some]
    if recipe.corpus.id is not None:
        refuse_repeated_ids(every, scratch, runner)
    check_usable(counts, account, recipe, held_out=held_out, files=files)
    drops = None
    if recipe.corpus.duplicates.exact or recipe.corpus.duplicates.near is not None:
        progress.update(0, counts["kept"], unit="records", note="comparing")
        drops = find_copies(every, recipe.corpus.duplicates, scratch, runner)
    progress.update(0, counts["kept"], unit="records", note="writing shards")
    shards = recipe.corpus.shards_for(max(account.size.get(split, 0) for split in SPLITS))
    mark = USE_MARK * (account.marks + 1)
    jobs = Jobs(sink, shards, recipe.seed, scratch, recipe.corpus.exclusions, mark, drops)
    splits, lost = write_shards(parts, jobs, recipe, runner)
    counts["kept"] -= lost.total()
    counts["dropped"] = dict(sorted((collections.Counter(counts["dropped"]) + lost).items()))
    check_sum(counts)
    add_early_losses(splits, account)
    check_left(splits, recipe)
    _join_text(read.extents, scratch, draft.path, recipe)
    scrubber = scrubber_of(recipe.corpus.privacy)
    left_out = scrubbed([[one.name, one.reason] for one in listing.left_out], scrubber)
    compared = scrubbed([file.row() for file in evaluation], scrubber)
    warned = scrubbed([*noted, *warnings(counts, splits, recipe, account.large)], scrubber)
    for warning in warned[len(noted) :]:
        logger.warning("%s", warning)
    draft.facts.update(evaluation_texts=compared, warnings=warned)
    draft.facts.update(counts=counts, splits=splits, shards=shards, files=len(files), left_out=left_out)
    write_report(draft.path, recipe, draft.facts, account, read.lines, scrubber)
    remove_folder(scratch)
    progress.update(counts["in"], counts["in"], unit="rows")


@dataclasses.dataclass(frozen=True, slots=True)
class FirstPass:
    """What the first pass gives.

    Attributes:
        account: What became of all rows.
        lines: The most repeated lines with how often they occur, the most frequent first.
        extents: Where everything is stored; sorted, so in corpus order.
    """

    account: Account
    lines: list[tuple[str, int]]
    extents: list[Extent]

    def parts(self, weights: Sequence[float]) -> dict[str, list[Part]]:
        """Returns the parts of each split; train comes first, so of two copies the one in train stays.

        Args:
            weights: The weight of each file in the mixture; it holds for its train records.
        """
        number = 0
        parts: dict[str, list[Part]] = {}
        for split in SPLITS:
            extents = [extent for extent in self.extents if extent.kind == split]
            parts[split] = numbered(extents, weights if split == "train" else [1.0] * len(weights), number)
            number += sum(extent.records for extent in extents)
        return parts


def read_parts(recipe: Recipe, files: Sequence[CorpusFile], scratch: Path, runner: Runner | None) -> FirstPass:
    """Writes the records of every file, cleaned, to the scratch folder."""
    contamination = scratch / "contamination"
    valid_files = [file.index for file in files if file.split == "valid"]
    results = {name: scratch / f"{name}.json" for name in ("account", EXTENTS, LINES)}

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
        write = beam.ParDo(WriteParts(recipe, files, scratch))
        accounts, extents, lines = blocks | "Write" >> write.with_outputs(EXTENTS, LINES, main="accounts")
        _ = accounts | "Sum" >> beam.CombineGlobally(SumAccounts()) | "Account" >> WriteJson(results["account"])
        _ = extents | "Extents" >> WriteJson(results[EXTENTS])
        _ = lines | "Lines" >> MostFrequent(TOP_LINES) | "Top lines" >> WriteJson(results[LINES])

    run_pipeline(build, runner)
    (account,) = read_json(results["account"])
    lines = sorted(read_json(results[LINES]), key=lambda line: (-line[1], line[0]))
    extents = [Extent(*row) for row in read_json(results[EXTENTS])]
    return FirstPass(Account(**account), [(line, times) for line, times in lines], extents)


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
    parts = {split: parts[split] for split in splits}
    if recipe.corpus.shuffle:
        rows, lost = shuffle(parts, jobs, runner)
        for split, dropped in lost.items():
            splits[split]["dropped"].update(dropped)
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


def _join_text(extents: Sequence[Extent], scratch: Path, folder: Path, recipe: Recipe) -> None:
    """Joins dead letters and exclusions, in corpus order; records lost in the last passes come after the others."""
    sections = {
        kind: [(place(extent.path), extent.at, extent.at + extent.size) for extent in extents if extent.kind == kind]
        for kind in (DEAD, EXCLUDED)
    }
    concatenate_sections(sections[DEAD], folder / DEAD_LETTERS)
    if recipe.corpus.exclusions:
        late = [(path, 0, path.stat().st_size) for path in sorted(scratch.glob("late-*.excluded.jsonl.gz"))]
        concatenate_sections([*sections[EXCLUDED], *late], folder / EXCLUSIONS)
