"""Merges key files where a corpus has very many, so that every range of keys is read from a bounded number of files.

Without it a range of keys would be read in as many pieces as there are files: their number, ranges times files, would
grow with the square of the corpus (external merge sort: Knuth, The Art of Computer Programming, volume 3, 5.4).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.dedup.key_index import KeyIndex
from lstmlm.corpus.dedup.keys import KeyFile, write_sorted
from lstmlm.corpus.wording.words import Hashes
from lstmlm.runners.pipeline import run_jobs
from lstmlm.runners.runner import Runner

MOST_FILES = 256
"""Key files that are searched; a merged one takes 12 bytes of memory for each of its rows while it is written."""


def merged(index: KeyIndex, folder: Path, runner: Runner | None, most: int = MOST_FILES) -> KeyIndex:
    """Returns an index of at most so many files with the same rows; the files of the given one are removed then.

    Args:
        index: The keys of the corpus.
        folder: Where merged files are written.
        runner: Where they are merged; None: in this process.
        most: Files at most.
    """
    files = len(index.paths)
    if files <= most:
        return index
    each = -(-files // most)
    groups = [index.paths[start : start + each] for start in range(0, files, each)]
    paths = tuple(folder / f"merged-{number:05d}.keys" for number in range(len(groups)))
    run_jobs(list(zip(paths, groups, strict=True)), MergeKeys(), folder / "merged.json", runner)
    for path in index.paths:
        path.unlink()
    rows = np.bincount(index.file, np.diff(index.first), files).astype(np.int64)
    before = np.concatenate([[0], np.cumsum(rows)])[:-1]
    before -= before[np.arange(files) // each * each]  # rows of earlier files of the same group
    return dataclasses.replace(index, paths=paths, file=index.file // each, local=index.local + before[index.file])


class MergeKeys(beam.DoFn):
    """Writes one key file with the rows of others, one after the other; takes `(path, paths)`."""

    def process(self, job: tuple[Path, tuple[Path, ...]]) -> Iterator[list[str]]:
        """See the class; holds one column."""
        path, paths = job
        files = [KeyFile.open(one) for one in paths]
        starts = np.cumsum([0, *(file.rows for file in files)])

        def column(number: int) -> tuple[Hashes, NDArray[np.uint32]]:
            found = [file.column(number, 0, 1 << 64) for file in files]
            keys = np.concatenate([keys for keys, _ in found])
            rows = np.concatenate([rows + start for (_, rows), start in zip(found, starts, strict=False)])
            order = np.argsort(keys, kind="stable")  # rows of equal keys stay in the order of the files
            return keys[order], rows[order]

        shape = int(starts[-1]), files[0].columns, files[0].hashes
        halves = (file.second_halves(np.arange(file.rows)) for file in files)
        sketches = (file.read_sketches(np.arange(file.rows)) for file in files)
        write_sorted(path, shape, column, halves, sketches)
        yield [str(path)]
