"""The second pass: finds duplicate records and writes, next to each part, the list of rows to leave out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import apache_beam as beam

from lstmlm.corpus.dedup.duplicates import FindEdges, duplicate_rows
from lstmlm.corpus.dedup.edges import KeyIndex
from lstmlm.corpus.passes.join import Part
from lstmlm.corpus.passes.parts import keys_path
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.runners.pipeline import run_pipeline
from lstmlm.runners.runner import Runner


def find_copies(
    parts: Mapping[str, list[Part]], duplicates: Duplicates, scratch: Path, runner: Runner | None
) -> dict[str, list[Part]]:
    """Compares the keys of all parts and returns the parts, each with the file of its rows to leave out.

    Of two copies the one in the earlier part stays: the splits are taken in the order given.

    Args:
        parts: Split -> parts in corpus order, with their keys next to them.
        duplicates: What counts as a copy.
        scratch: Folder for the pairs that are found.
        runner: Where the search runs; None: in this process.
    """
    every = [part for found in parts.values() for part in found]
    index = KeyIndex.open([keys_path(part.path) for part in every])
    folder = scratch / "edges"
    folder.mkdir()

    def build(pipeline: beam.Pipeline) -> None:
        _ = pipeline | FindEdges(index, duplicates, folder)

    run_pipeline(build, runner)
    rows = duplicate_rows(index, folder)
    noted: list[Part] = []
    for position, part in enumerate(every):
        reasons = {row: reason for row, reason, _ in rows.in_file(position)}
        if not reasons:
            noted.append(part)
            continue
        drops = part.path.with_suffix(".drops.json")
        drops.write_text(json.dumps(reasons), encoding="utf-8")
        noted.append(dataclasses.replace(part, drops=drops))
    remaining = iter(noted)
    return {split: [next(remaining) for _ in found] for split, found in parts.items()}
