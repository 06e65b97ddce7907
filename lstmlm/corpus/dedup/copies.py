"""The second pass: decides which rows of a corpus are exact or near copies of an earlier row.

Equal and similar rows are pairs (`lstmlm.corpus.dedup.search`); rows that pairs connect, over however many others, are
copies of one text (`lstmlm.corpus.dedup.components`), and the first of them in corpus order is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstmlm.corpus.dedup.components import buckets_of, joined
from lstmlm.corpus.dedup.drops import Drops, ExactRows, WriteDrops, exact_path
from lstmlm.corpus.dedup.key_index import KeyIndex
from lstmlm.corpus.dedup.search import EdgeFile, search
from lstmlm.corpus.passes.extents import Part
from lstmlm.corpus.passes.part_files import keys_path
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.runners.pipeline import run_jobs
from lstmlm.runners.runner import Runner


def find_copies(parts: Sequence[Part], duplicates: Duplicates, scratch: Path, runner: Runner | None) -> Drops:
    """Compares the keys of all rows and returns those to leave out.

    Of two copies the one in the earlier part stays.

    Args:
        parts: One for each extent, in corpus order, with the keys next to the records.
        duplicates: What counts as a copy.
        scratch: Folder for the pairs that are found.
        runner: Where the search runs; None: in this process.
    """
    index = KeyIndex.of(parts, keys_path)
    folder = scratch / "edges"
    folder.mkdir()
    return drops_of(search(index, duplicates, folder, runner), index.rows, folder, runner)


def drops_of(found: Sequence[EdgeFile], rows: int, folder: Path, runner: Runner | None) -> Drops:
    """Joins pairs of rows to the rows to leave out.

    Args:
        found: The pairs.
        rows: Rows of the corpus.
        folder: Where files are written.
        runner: Where this runs; None: in this process.
    """
    drops = Drops(folder, buckets_of(rows))
    stars = joined(found, drops.buckets, folder / "stars", runner)
    exact = [edges for edges in found if edges.exact]
    groups = [exact[start :: drops.buckets.count] for start in range(drops.buckets.count)]
    jobs = [(number, group) for number, group in enumerate(groups) if group]
    run_jobs(jobs, ExactRows(folder, drops.buckets), folder / "exact.json", runner)
    again = [exact_path(folder, number) for number, _ in jobs]
    run_jobs(list(range(drops.buckets.count)), WriteDrops(drops, stars, again), folder / "drops.json", runner)
    return drops
