"""The splits of a Hugging Face dataset folder: parquet files whose names say which split they belong to.

For example `data/train-00000-of-00002.parquet`, `data/validation-00000-of-00001.parquet`, or
`default/test/0000.parquet`. The keywords are those of the Hugging Face hub (structure of a dataset repository).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from lstmlm.corpus.listing import Found, LeftOut, Listing
from lstmlm.errors import UserError

NamedSplit = Literal["train", "valid", "test"]

_KEYWORDS: tuple[tuple[NamedSplit, frozenset[str]], ...] = (
    ("train", frozenset({"train", "training"})),
    ("valid", frozenset({"validation", "valid", "val", "dev"})),
    ("test", frozenset({"test", "testing", "eval", "evaluation"})),
)


def split_in_name(name: str) -> NamedSplit | None:
    """Returns the split that a file's name speaks of: its first word, else the first word of a folder around it."""
    for part in reversed(name.lower().split("/")):
        word = re.split(r"[^a-z]", part, maxsplit=1)[0]
        for split, keywords in _KEYWORDS:
            if word in keywords:
                return split
    return None


def is_dataset_folder(listing: Listing) -> bool:
    """Says whether a folder holds parquet files named by split."""
    return listing.folder and any(split_in_name(file.name) for file in _parquet(listing.found))


def files_of_split(listing: Listing, split: Literal["train", "valid"], where: str) -> tuple[list[Found], list[LeftOut]]:
    """Returns the files of a split of a dataset folder, and the others with the reason they are left out.

    The reasons are `test_split`, `train_split`, `valid_split`, `no_split` (a parquet file whose name speaks of none)
    and `not_parquet`. Files of the test split are never used.

    Raises:
        UserError: The folder has no file of this split.
    """
    parquet = _parquet(listing.found)
    files = [file for file in parquet if split_in_name(file.name) == split]
    if not files:
        there = ", ".join(sorted({split_in_name(file.name) or "none" for file in parquet}))
        what = f"a dataset folder without files of the {split} split (there are: {there})"
        raise UserError(what, where=where, cure="Name the files, not the folder")
    reasons = {file: f"{split_in_name(file.name) or 'no'}_split" for file in parquet}
    others = [file for file in listing.found if reasons.get(file) != f"{split}_split"]
    return files, [LeftOut(file.name, reasons.get(file, "not_parquet")) for file in others]


def _parquet(files: Sequence[Found]) -> list[Found]:
    return [file for file in files if file.name.lower().endswith(".parquet")]
