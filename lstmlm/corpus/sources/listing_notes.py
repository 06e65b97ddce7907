"""Messages about the files of a corpus: files left out, with the reason, and identical files."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence

from lstmlm.corpus.sources.files import CorpusListing
from lstmlm.corpus.sources.found import CorpusFile, LeftOut
from lstmlm.corpus.sources.listing import SAME_FILE, ending_of
from lstmlm.corpus.sources.omitted import shown
from lstmlm.corpus.sources.sorting import UNKNOWN_ENDING

_WORDS = {
    "test_split": "named as the test split, which is never trained on; name a file in corpus.train to use it",
    "valid_split": "named as the valid split; name a file in corpus.train or corpus.valid to use it",
    "train_split": "named as the train split",
    "no_split": "without a split in the name, among files that have one; name a file in corpus.train to use it",
    "not_parquet": "not parquet, among parquet files named by split; name a file in corpus.train to use it",
    "hidden": "hidden",
    "leftover": "names that begin with _ are not data (Spark, Hive)",
    "temporary": "temporary files",
    "own_output": "outputs of this project",
    "linked_folder": "links to folders, which are not followed; name the folder itself",
    "no_file": "no regular files",
    "metadata": "facts about a data set, not its rows",
    "json_document": "one JSON document over several lines, not rows",
}


def listing_notes(listing: CorpusListing, checksums: Mapping[str, str], *, valid_named: bool) -> list[str]:
    """Returns the notes on a corpus, a sentence each.

    Args:
        listing: The files.
        checksums: Path of each file -> its checksum.
        valid_named: Whether the recipe names the files of the valid split.

    Raises:
        UserError: A file cannot be read.
    """
    valid = [] if valid_named else [file.name for file in listing.files if file.split == "valid"]
    chosen = [f"the valid split, as the names say: {shown(valid)}"] if valid else []
    return [*_left_out(listing.left_out), *chosen, *_same_content(listing.files, checksums)]


def _left_out(left_out: Sequence[LeftOut]) -> Iterator[str]:
    groups: dict[str, list[LeftOut]] = {}
    for one in left_out:
        groups.setdefault(one.reason, []).append(one)
    for reason, ones in sorted(groups.items()):
        names = shown([one.name for one in ones])
        if reason == SAME_FILE:
            yield f"read once: {shown([f'{one.name} is the same file as {one.detail}' for one in ones])} ({reason})"
        elif reason == UNKNOWN_ENDING:
            endings = collections.Counter(ending_of(one.name) for one in ones)
            kinds = shown([f"{count} {ending}" for ending, count in sorted(endings.items())])
            yield f"left out: {_files(ones)} whose ending is not that of a corpus file ({kinds}): {names} ({reason})"
        else:
            yield f"left out: {names}: {_WORDS.get(reason, reason)} ({reason})"


def _files(ones: Sequence[LeftOut]) -> str:
    return "1 file" if len(ones) == 1 else f"{len(ones)} files"


def _same_content(files: Sequence[CorpusFile], checksums: Mapping[str, str]) -> Iterator[str]:
    """Reports files that differ in name only; files are read where others have their size."""
    sizes = collections.Counter(file.size for file in files)
    same: dict[tuple[int, str], list[str]] = {}
    for file in files:
        if file.size and sizes[file.size] > 1:
            same.setdefault((file.size, checksums[file.path]), []).append(file.name)
    for names in same.values():
        if len(names) > 1:
            yield f"the same content in {len(names)} files, each of which is read: {shown(names)} (same_content)"
