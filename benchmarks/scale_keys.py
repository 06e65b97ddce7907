"""Runs the passes after the first over records of synthetic keys, and counts; a program of its own for `scale.py`.

Usage: python scale_keys.py RECORDS FOLDER

The part files are written as a worker of the first pass writes them: a thousand records at a time, each of 64 bytes,
with random keys of 8 bands. One record in twenty shares its keys with one of the thousand before it, one in fifty all
of its text. Then repeated ids and copies are looked for, and what is left is shuffled. Prints what `scale_run.py` does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from scale_run import measured, warm_up

from lstmlm.corpus.dedup.copies import find_copies
from lstmlm.corpus.dedup.keys import Keys, banding
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.passes.extents import Extent, numbered
from lstmlm.corpus.passes.ids import refuse_repeated_ids
from lstmlm.corpus.passes.join import Jobs
from lstmlm.corpus.passes.part_files import PartFile
from lstmlm.corpus.passes.shuffle import shuffle
from lstmlm.corpus.passes.sinks import TFRecordShards
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.runners.pipeline import run_pipeline

DUPLICATES = Duplicates(exact=True, near=0.8, bands=4, rows=4)
BLOCK, RANGE = 1000, 200_000
"""Records of a block and of a range of a file."""
SHARD_BYTES = 128_000_000
NEAR, EXACT = 0.05, 0.02


def blocks(records: int) -> Iterator[tuple[Block, list[bytes], Keys]]:
    """Yields blocks with the payloads and the keys of their records; the same every time."""
    draw = np.random.default_rng(9)
    bands, rows = banding(DUPLICATES)
    for start in range(0, records, BLOCK):
        exact = draw.integers(1, 2**63, (BLOCK, 2), np.uint64)
        keys = draw.integers(1, 2**63, (BLOCK, 2 * bands), np.uint64)
        sketches = draw.integers(0, 256, (BLOCK, bands * rows)).astype(np.uint8)
        copies = np.flatnonzero(draw.random(BLOCK) < NEAR)
        keys[copies], sketches[copies] = keys[copies // 2], sketches[copies // 2]
        again = np.flatnonzero(draw.random(BLOCK) < EXACT)
        exact[again] = exact[again // 2]
        numbers = range(start, start + BLOCK)
        payloads = [b"%064d" % number for number in numbers]
        yield Block(0, start, BLOCK, [], origin=start - start % RANGE), payloads, Keys(exact, keys, sketches)


def written(records: int, folder: Path) -> list[Extent]:
    """Writes the part files and returns their extents."""
    extents: list[Extent] = []
    part: PartFile | None = None
    for block, payloads, keys in blocks(records):
        part = part or PartFile(folder, "train")
        part.add(block, payloads, keys, [xxhash.xxh3_128_digest(payload) for payload in payloads])
        if part.full:
            extents += part.close()
            part = None
    return sorted([*extents, *(part.close() if part is not None else [])])


def passes(records: int, folder: Path) -> dict[str, int]:
    """Does what is measured; returns counts."""
    scratch = folder / ".parts"
    scratch.mkdir()
    (folder / "Split-train").mkdir()
    extents = written(records, scratch)
    parts = numbered(extents, [1.0])
    refuse_repeated_ids(parts, scratch, None)
    drops = find_copies(parts, DUPLICATES, scratch, None)
    shards = max(4, -(-sum(extent.size for extent in extents) // SHARD_BYTES))
    jobs = Jobs(TFRecordShards(folder), shards, 1, scratch, False, drops=drops)
    rows, lost = shuffle({"train": parts}, jobs, None)
    kept, dropped = sum(row[2] for row in rows), lost["train"].total()
    if kept + dropped != records:
        raise RuntimeError(f"{kept} records kept and {dropped} dropped of {records}")
    return {"kept": kept, "dropped": dropped, "shards": shards}


def main() -> None:
    """See the module."""
    records, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    warm_up(run_pipeline)
    found: dict[str, Any] = measured(lambda: passes(records, folder), [str(folder)])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
