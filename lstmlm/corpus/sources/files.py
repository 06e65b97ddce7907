"""Lists the corpus files of a recipe, with the hashes that identify them."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Sequence
from pathlib import Path

from lstmlm.corpus.reading.content import Content, Foreign, NoRows, content_of, is_empty
from lstmlm.corpus.reading.datasets.class_names import next_to
from lstmlm.corpus.reading.openers import cannot_reach, cannot_read, file_systems, is_remote
from lstmlm.corpus.reading.readers import READERS, TextReader
from lstmlm.corpus.sources.found import CorpusFile, Found, LeftOut, Listing, Split
from lstmlm.corpus.sources.kinds import FileKinds, file_kinds
from lstmlm.corpus.sources.layouts import VALID, files_of_split
from lstmlm.corpus.sources.listing import list_files
from lstmlm.errors import UserError
from lstmlm.publish.folder import sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import CorpusSection


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
        read, documents = _readable(found, len(files), split, corpus, corpus.place(pattern))
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
    found: Sequence[Found], first: int, split: Split | None, corpus: CorpusSection, place: str
) -> tuple[list[CorpusFile], list[LeftOut]]:
    """Returns the files, and those of a folder or glob that are one JSON document, such as the facts of a data set.

    Raises:
        UserError: A file cannot be read, or all of them are documents.
    """
    kinds = file_kinds(corpus)
    files: list[CorpusFile] = []
    documents: list[LeftOut] = []
    problem: NoRows | None = None
    for file in found:
        try:
            files.append(corpus_file(file, first + len(files), split, kinds))
        except NoRows as error:
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


def _role(corpus: CorpusSection, pattern: str, role: Split) -> tuple[list[Found], list[LeftOut]]:
    listing = list_files(corpus.root, pattern, f"corpus.{role}", file_kinds(corpus).endings)
    files, others = files_of_split(listing, pattern, role, corpus.place(pattern))
    return files, listing.left_out + others


def named_files(corpus: CorpusSection, pattern: str, field: str) -> list[CorpusFile]:
    """Returns the files below the root that a name, folder or glob of another field matches, sorted by name.

    Args:
        corpus: Gives the root.
        pattern: See `lstmlm.corpus.sources.listing.list_files`.
        field: The field, for messages, such as `corpus.decontamination.files`.

    Raises:
        UserError: As `list_corpus`.
    """
    kinds = file_kinds(corpus)
    listing: Listing = list_files(corpus.root, pattern, field, kinds.endings)
    return [corpus_file(found, index, None, kinds) for index, found in enumerate(listing.found)]


def corpus_file(found: Found, index: int = 0, split: Split | None = None, kinds: FileKinds | None = None) -> CorpusFile:
    """Returns a file with its reader, as its ending says, and with its compression and encoding, as its content says.

    Args:
        found: The file.
        index: See `CorpusFile`.
        split: See `CorpusFile`.
        kinds: What is read; absent: corpora by the readers of this package.

    Raises:
        UserError: It has another ending, a name that is no text, or content that cannot be read as its kind.
    """
    try:
        found.name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError("a file name that is not UTF-8", where=ascii(found.path), hint="Rename it") from error
    kinds = kinds or file_kinds()
    named = kinds.reader_of(found.name)
    if named is None:
        hint = f"Rename or convert it: a corpus file ends in {kinds.usual()}"
        raise UserError("unknown kind of corpus file", where=found.path, hint=hint)
    reader, compression = named
    classes = () if is_remote(found.path) else next_to(found.path, found.name)
    if not isinstance(kinds.readers[reader], TextReader):
        return CorpusFile(index, found.name, found.path, reader, "", split, found.size, classes=classes)
    if is_empty(found.path, found.size):  # a part of a table that got no rows
        return CorpusFile(index, found.name, found.path, reader, "", split, 0)
    compression, content = _content(found.path, found.size, compression, reader, kinds)
    return CorpusFile(index, found.name, found.path, reader, compression, split, found.size, content, classes)


def _content(path: str, size: int, named: str, reader: str, kinds: FileKinds) -> tuple[str, Content]:
    """As `content_of`; a local file is looked at once by a process, as long as it does not change."""
    if is_remote(path):
        return _looked_at(path, size, named, reader, kinds.foreign, kinds.encoding)
    try:
        status = os.stat(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    known = kinds.foreign, kinds.encoding
    return _local_content(path, size, named, reader, *known, status.st_mtime_ns, status.st_ino)


@functools.lru_cache(maxsize=100_000)
def _local_content(
    path: str,
    size: int,
    named: str,
    reader: str,
    foreign: tuple[Foreign, ...],
    encoding: str,
    changed: int,
    inode: int,
) -> tuple[str, Content]:
    # A run asks up to three times: when it checks the recipe, looks for a cached result, and reads the corpus.
    return _looked_at(path, size, named, reader, foreign, encoding)


def _looked_at(
    path: str, size: int, named: str, reader: str, foreign: tuple[Foreign, ...], encoding: str
) -> tuple[str, Content]:
    found = READERS.load(reader)
    assert isinstance(found, TextReader)
    return content_of(path, size, named, found.holds_array, foreign, encoding)


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
