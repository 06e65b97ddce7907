"""Lists the corpus files of a recipe, with the hashes that identify them."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from lstmlm.corpus.reading.compression import COMPRESSIONS
from lstmlm.corpus.reading.content import PLAIN, Content, JsonDocument, content_of, is_empty
from lstmlm.corpus.reading.openers import cannot_reach, cannot_read, file_systems, is_remote
from lstmlm.corpus.sources.found import Found, LeftOut, Listing
from lstmlm.corpus.sources.layouts import VALID, files_of_split
from lstmlm.corpus.sources.listing import list_files
from lstmlm.errors import UserError
from lstmlm.publish.folder import sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import Corpus

PARQUET = ".parquet"
FORMATS = (".txt", ".tsv", ".csv", ".jsonl", PARQUET)
_OTHER_NAMES = {
    ".json": ".jsonl",
    ".ndjson": ".jsonl",
    ".text": ".txt",
    ".tab": ".tsv",
    ".parq": PARQUET,
    ".pq": PARQUET,
}
_NAMES = {**{format: format for format in FORMATS}, **_OTHER_NAMES}
ENDINGS = (
    *_NAMES,
    *(f"{name}.{outer}" for name, format in _NAMES.items() if format != PARQUET for outer in COMPRESSIONS),
)
"""What the name of a corpus file ends in; parquet brings its own compression."""

Split = Literal["train", "valid"]


@dataclasses.dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of the corpus.

    Attributes:
        index: Position in the corpus: train files first, each split sorted by name.
        name: Path below the corpus root, with forward slashes.
        path: A local path or a URL.
        format: `.txt`, `.tsv`, `.csv`, `.jsonl` or `.parquet`.
        compression: `gz`, `bz2`, `xz`, `zst`, or empty: as its first bytes say.
        split: The split it is given for; None: each record's id decides.
        size: Bytes, as it is stored; 0 where it holds no more than a byte order mark.
        content: How its text is stored.
    """

    index: int
    name: str
    path: str
    format: str
    compression: str
    split: Split | None
    size: int
    content: Content = PLAIN


@dataclasses.dataclass(frozen=True, slots=True)
class CorpusListing:
    """The files of a corpus in corpus order, and the files among them that are not read."""

    files: list[CorpusFile]
    left_out: list[LeftOut]


def list_corpus(recipe: Recipe, *, held_out: bool = True) -> CorpusListing:
    """Returns the corpus files of a recipe, and what was left out of its folders and globs with the reason.

    Of a folder or glob, files whose names say that they are of the test split are left out (`test_split`). Those of
    the valid split are never train data; they are `corpus.valid` where the recipe has none.

    Args:
        recipe: The run.
        held_out: Whether there may be a valid split.

    Raises:
        UserError: A pattern matches nothing or leads out of the root, a file has an unknown ending or is named for
            both splits.
    """
    corpus = recipe.corpus
    train, left_out = _role(corpus, corpus.train, "train")
    valid: list[Found] = []
    if corpus.valid is not None:
        valid, left_out_too = _role(corpus, corpus.valid, "valid")
        left_out = sorted({*left_out, *left_out_too}, key=lambda one: (one.name, one.reason))
    elif held_out and any(one.reason == VALID for one in left_out):
        valid, _ = _role(corpus, corpus.train, "valid")
    _refuse_both(train, valid)
    first: Split | None = "train" if valid else None
    files: list[CorpusFile] = []
    roles: list[tuple[str, Sequence[Found], Split | None]] = [(corpus.train, train, first)]
    roles += [(corpus.valid or corpus.train, valid, "valid")] if valid else []
    for pattern, found, split in roles:
        read, documents = _readable(found, len(files), split, corpus.place(pattern))
        files += read
        left_out += documents
    used = {file.name for file in files}
    return CorpusListing(files, [one for one in left_out if one.name not in used])


def _refuse_both(train: Sequence[Found], valid: Sequence[Found]) -> None:
    ours = {file.identity or file.path for file in train}
    both = sorted(file.path for file in valid if (file.identity or file.path) in ours)
    if both:
        hint = "Name it in one of them, or leave out corpus.valid for a hash split"
        raise UserError("named by corpus.train and by corpus.valid", where=both[0], hint=hint)


def _readable(
    found: Sequence[Found], first: int, split: Split | None, place: str
) -> tuple[list[CorpusFile], list[LeftOut]]:
    """Returns the files, and those of a folder or glob that are one JSON document, such as the facts of a data set.

    Raises:
        UserError: A file cannot be read, or all of them are documents.
    """
    files: list[CorpusFile] = []
    documents: list[LeftOut] = []
    problem: JsonDocument | None = None
    for file in found:
        try:
            files.append(corpus_file(file, first + len(files), split))
        except JsonDocument as error:
            if file.path == place:  # named by itself
                raise
            documents.append(LeftOut(file.name, "json_document"))
            problem = problem or error
    if problem is not None and not files:
        raise problem
    return files, documents


def corpus_files(recipe: Recipe) -> list[CorpusFile]:
    """Returns the corpus files of a recipe in corpus order; see `list_corpus`."""
    return list_corpus(recipe).files


def _role(corpus: Corpus, pattern: str, role: Split) -> tuple[list[Found], list[LeftOut]]:
    listing = list_files(corpus.root, pattern, f"corpus.{role}", ENDINGS)
    files, others = files_of_split(listing, pattern, role, corpus.place(pattern))
    return files, listing.left_out + others


def named_files(corpus: Corpus, pattern: str, field: str) -> list[CorpusFile]:
    """Returns the files below the root that a name, folder or glob of another field matches, sorted by name.

    Args:
        corpus: Gives the root.
        pattern: See `lstmlm.corpus.sources.listing.list_files`.
        field: The field, for messages, such as `corpus.decontamination.files`.

    Raises:
        UserError: As `list_corpus`.
    """
    listing: Listing = list_files(corpus.root, pattern, field, ENDINGS)
    return [corpus_file(found, index) for index, found in enumerate(listing.found)]


def corpus_file(found: Found, index: int = 0, split: Split | None = None) -> CorpusFile:
    """Returns a file with its format, as its ending says, and with its compression and encoding, as its content says.

    Raises:
        UserError: It has another ending, a name that is no text, or content that cannot be read as this format.
    """
    try:
        found.name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError("a file name that is not UTF-8", where=ascii(found.path), hint="Rename it") from error
    named = compression_of(found.name)
    ending = PurePosixPath(found.name.lower().removesuffix(f".{named}")).suffix
    format = _NAMES.get(ending)
    if format is None or (named and format == PARQUET):
        hint = f"Rename or convert it: a corpus file ends in {', '.join(FORMATS)}; all but the last may be compressed"
        raise UserError("unknown kind of corpus file", where=found.path, hint=hint)
    if format == PARQUET:
        return CorpusFile(index, found.name, found.path, format, "", split, found.size)
    if is_empty(found.path, found.size):  # a part of a table that got no rows
        return CorpusFile(index, found.name, found.path, format, "", split, 0)
    compression, content = _content(found.path, found.size, named, format)
    return CorpusFile(index, found.name, found.path, format, compression, split, found.size, content)


def _content(path: str, size: int, named: str, format: str) -> tuple[str, Content]:
    """As `content_of`; a local file is looked at once by a process, as long as it does not change."""
    if is_remote(path):
        return content_of(path, size, named, format)
    try:
        status = os.stat(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    return _local_content(path, size, named, format, status.st_mtime_ns, status.st_ino)


@functools.lru_cache(maxsize=100_000)
def _local_content(path: str, size: int, named: str, format: str, changed: int, inode: int) -> tuple[str, Content]:
    # A run asks up to three times: when it checks the recipe, looks for a cached result, and reads the corpus.
    return content_of(path, size, named, format)


def compression_of(name: str) -> str:
    """Returns the compression that a file's ending speaks of: `gz`, `bz2`, `xz`, `zst`, or nothing."""
    ending = PurePosixPath(name.lower()).suffix.removeprefix(".")
    return ending if ending in COMPRESSIONS else ""


def checksum(path: str) -> str:
    """Returns the sha256 of a local file, or the checksum that its store keeps.

    Raises:
        UserError: It cannot be read.
    """
    if is_remote(path):
        try:
            return str(file_systems(path).checksum(path))
        except UserError:
            raise
        except Exception as error:  # every store raises its own kinds
            raise cannot_reach(path, error) from error
    try:
        status = os.stat(path)
        return _local_checksum(path, status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError as error:
        raise cannot_read(path, error) from error


@functools.lru_cache(maxsize=100_000)
def _local_checksum(path: str, size: int, changed: int, inode: int) -> str:
    # A run asks twice: when it looks for a cached result, and when the stage takes its snapshot.
    return sha256_file(Path(path))
