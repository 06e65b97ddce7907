"""Checks that record ids are unique over the corpus, with 16 bytes of memory per record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lstmlm.corpus.passes.parts import ids_path
from lstmlm.errors import UserError
from lstmlm.records.record import deserialize
from lstmlm.records.tfrecord import read_records

USE_MARK = "#"
"""Between a record's id and the number of a further use of it."""

_USE = re.compile(rf"({USE_MARK}+)\d+$")


def use_mark(parts: Iterable[Path]) -> str:
    """Returns the mark with which the id of no further use equals that of a record: longer than any in an id.

    Args:
        parts: The part files of all splits.
    """
    longest = 0
    for part in parts:
        for payload in read_records(part):
            found = _USE.search(deserialize(payload).id)
            longest = max(longest, len(found[1]) if found else 0)
    return USE_MARK * (longest + 1)


def refuse_repeated_ids(parts: Sequence[Path]) -> None:
    """Compares the 128-bit hashes of all ids.

    Args:
        parts: The part files, in corpus order; their hashes are stored next to them (`ids_path`).

    Raises:
        UserError: Duplicate id; the message names it.
    """
    if not parts:
        return
    hashes = [np.fromfile(ids_path(part), dtype="<u8").reshape(-1, 2) for part in parts]
    every = np.concatenate(hashes)
    order = np.lexsort((every[:, 1], every[:, 0]))
    ordered = every[order]
    same = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
    if not same.size:
        return
    later = int(np.maximum(order[same], order[same + 1]).min())
    ends = np.cumsum([len(found) for found in hashes])
    part = int(np.searchsorted(ends, later, side="right"))
    row = later - int(ends[part] - len(hashes[part]))
    payload = next(payload for number, payload in enumerate(read_records(parts[part])) if number == row)
    record_id = deserialize(payload).id
    hint = "Make the ids unique, or leave out corpus.id"
    raise UserError(f"duplicate id {record_id!r}", where="corpus.id", hint=hint)
