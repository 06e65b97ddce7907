"""Checks that record ids are unique over the corpus, and finds the mark of further uses of a record."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lstmlm.corpus.dedup.key_index import KeyIndex
from lstmlm.corpus.dedup.search import read_edges, search
from lstmlm.corpus.passes.extents import Part
from lstmlm.corpus.passes.part_files import ids_path
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.record import deserialize
from lstmlm.records.tfrecord import read_records
from lstmlm.runners.runner import Runner

USE_MARK = "#"
"""Between a record's id and the number of a further use of it."""

_USE = re.compile(rf"({USE_MARK}+)\d+$")


def longest_mark(ids: Iterable[str]) -> int:
    """Returns the length of the longest mark in front of a number at the end of an id; 0 without any."""
    return max((len(found[1]) for found in map(_USE.search, ids) if found), default=0)


def refuse_repeated_ids(parts: Sequence[Part], scratch: Path, runner: Runner | None) -> None:
    """Compares the 128-bit hashes of all ids, as the texts of copies are compared.

    Args:
        parts: The parts of all splits, in corpus order; the hashes are stored next to the records.
        scratch: Folder for the pairs that are found.
        runner: Where the search runs; None: in this process.

    Raises:
        UserError: Duplicate id; the message names it.
    """
    index = KeyIndex.of(parts, ids_path)
    folder = scratch / "ids"
    folder.mkdir()
    found = search(index, Duplicates(exact=True), folder, runner)
    if not any(edges.count for edges in found):
        return
    later = min(int(chunk[:, 1].min()) for edges in found for chunk in read_edges(edges.path))
    hint = "Make the ids unique, or leave out corpus.id"
    raise UserError(f"duplicate id {_id_of(later, parts)!r}", where="corpus.id", hint=hint)


def _id_of(row: int, parts: Sequence[Part]) -> str:
    """Returns the id of a row of the corpus."""
    part = next(part for part in parts if part.number <= row < part.number + part.extent.records)
    section = part.section()
    payloads = read_records(section.path, section.at, section.at_end)
    return deserialize(next(itertools.islice(payloads, row - part.number, None))).id
