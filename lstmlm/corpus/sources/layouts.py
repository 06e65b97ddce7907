"""Assigns the files of a folder or glob to splits by their names.

For example `data/train-00000-of-00002.parquet`, `imdb-test.jsonl`, or `default/validation/0000.parquet`. The keywords
are those of the Hugging Face hub (structure of a dataset repository), and those of shared tasks in translation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.sources.found import Found, LeftOut, Listing
from lstmlm.corpus.sources.globs import GLOB
from lstmlm.errors import UserError

NamedSplit = Literal["train", "valid", "test"]

TEST, VALID, TRAIN = "test_split", "valid_split", "train_split"

_KEYWORDS: Mapping[str, NamedSplit] = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "validset", "dev", "devel", "devset", "newsdev"), "valid"),
    **dict.fromkeys(("test", "testing", "testset", "tst", "devtest", "newstest"), "test"),
    **dict.fromkeys(("eval", "evaluation", "heldout", "holdout"), "test"),
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TWO_WORDS = re.compile(r"(held|hold)[-_ .](?=out)", re.IGNORECASE)


def split_in_name(name: str, but: frozenset[str] = frozenset()) -> NamedSplit | None:
    """Returns the split that a file's name states, else that of a folder around it, innermost first.

    Whole words count: `latest` and `contest` are none. A file that has several of them is of the split of the last
    (`train-dev.txt`); a folder that has several, such as `train_test_split`, is of none.

    Args:
        name: The name, with forward slashes.
        but: Words, in lower case, that do not count.
    """
    file, *folders = reversed(name.split("/"))
    splits = _splits(file, but)
    if splits:
        return splits[-1]
    for folder in folders:
        splits = _splits(folder, but)
        if len(set(splits)) == 1:
            return splits[0]
    return None


def _splits(part: str, but: frozenset[str]) -> list[NamedSplit]:
    words = (word.lower() for word in _WORD.findall(_TWO_WORDS.sub(r"\1", part)))
    return [_KEYWORDS[word] for word in words if word in _KEYWORDS and word not in but]


def files_of_split(
    listing: Listing, pattern: str, split: Literal["train", "valid"], where: str
) -> tuple[list[Found], list[LeftOut]]:
    """Returns the files of a split, and the others with the reason they are left out.

    Files of the test split are never used, those of train and valid only as such. A file whose name says nothing is of
    the split that is asked for; but among parquet and Arrow files that are named by split it is left out (`no_split`),
    and so is what is no such file (`not_parquet`). Words that the pattern itself has say nothing. The reasons are
    `test_split`, `train_split`, `valid_split`, `no_split` and `not_parquet`.

    Raises:
        UserError: There is no file of this split.
    """
    if listing.exact:
        return listing.found, []
    but = _words_asked_for(pattern)
    spoken = {
        file: split_in_name("/".join(file.name.split("/")[listing.base :]), frozenset(but)) for file in listing.found
    }
    dataset = any(found == split and _is_table(file) for file, found in spoken.items())
    named_valid = split == "valid" and any(found == split for found in spoken.values())
    files: list[Found] = []
    others: list[LeftOut] = []
    for file, found in spoken.items():
        if (found == split and (not dataset or _is_table(file))) or (found is None and not dataset and not named_valid):
            files.append(file)
        elif found is not None and found != split:
            others.append(LeftOut(file.name, f"{found}_split"))
        else:
            others.append(LeftOut(file.name, "no_split" if _is_table(file) or not dataset else "not_parquet"))
    if not files:
        there = ", ".join(sorted({found or "none" for found in spoken.values()}))
        what = f"a dataset folder without files of the {split} split (there are: {there})"
        raise UserError(what, where=where, hint="Name the files, not the folder")
    return files, others


def _words_asked_for(pattern: str) -> set[str]:
    """Returns the words of the parts of a glob that have wildcards, and of those behind them."""
    parts: Sequence[str] = PurePosixPath(pattern).parts
    first = next((place for place, part in enumerate(parts) if GLOB.search(part)), len(parts))
    text = " ".join(_TWO_WORDS.sub(r"\1", part) for part in parts[first:])
    return {word.lower() for word in _WORD.findall(text)}


def _is_table(file: Found) -> bool:
    readers = (reader for reader in map(READERS.load, READERS.builtin()) if reader.of_datasets)
    endings = (ending for reader in readers for ending in reader.endings)
    return file.name.lower().endswith(tuple(endings))
