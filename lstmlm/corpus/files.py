"""The files a recipe's corpus consists of, and what identifies them."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath
from typing import Literal

from lstmlm.corpus.compression import COMPRESSIONS
from lstmlm.corpus.content import PLAIN, Content, compression_within, content_of, is_empty
from lstmlm.corpus.layouts import files_of_split, is_dataset_folder
from lstmlm.corpus.listing import Found, LeftOut, Listing, list_files
from lstmlm.corpus.openers import cannot_reach, cannot_read, file_systems, is_remote
from lstmlm.corpus.privacy.replace import key_fingerprint
from lstmlm.errors import UserError
from lstmlm.publish import fingerprint, sha256_file
from lstmlm.recipe import Recipe
from lstmlm.recipe_corpus import Corpus

INGEST_VERSION = 7
"""Raise it with every change that makes ingest write other bytes."""

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
ENDINGS = (*_NAMES, *(f"{name}.{zip}" for name, format in _NAMES.items() if format != PARQUET for zip in COMPRESSIONS))
"""What the name of a corpus file ends in; parquet brings its own compression."""

Split = Literal["train", "valid"]


@dataclasses.dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of the corpus.

    Attributes:
        index: Position in the corpus: train files first, each split sorted by name.
        name: Path below the corpus root, with forward slashes.
        path: Where it lies: a local path or a URL.
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
    """The files of a corpus in corpus order, and what lies among them and is not read."""

    files: list[CorpusFile]
    left_out: list[LeftOut]


def list_corpus(recipe: Recipe) -> CorpusListing:
    """Returns the corpus files of a recipe, and what was left out of its folders and globs with the reason.

    A folder of parquet files named by split, as Hugging Face datasets have them, gives its files of the train split
    as `corpus.train`; its files of the valid split are `corpus.valid` where the recipe has none. The files of its
    test split are left out, and told in `left_out` with the reason `test_split`.

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
    elif any(one.reason == "valid_split" for one in left_out):
        valid, _ = _role(corpus, corpus.train, "valid")
        left_out = [one for one in left_out if one.reason != "valid_split"]
    both = sorted({file.path for file in train} & {file.path for file in valid})
    if both:
        cure = "Name it in one of them, or leave out corpus.valid for a hash split"
        raise UserError("named by corpus.train and by corpus.valid", where=both[0], cure=cure)
    first: Split | None = "train" if valid else None
    named: list[tuple[Found, Split | None]] = [(file, first) for file in train]
    named += [(file, "valid") for file in valid]
    used = {file.name for file, _ in named}
    files = [corpus_file(found, index, split) for index, (found, split) in enumerate(named)]
    return CorpusListing(files, [one for one in left_out if one.name not in used])


def corpus_files(recipe: Recipe) -> list[CorpusFile]:
    """Returns the corpus files of a recipe in corpus order; see `list_corpus`."""
    return list_corpus(recipe).files


def _role(corpus: Corpus, pattern: str, role: Split) -> tuple[list[Found], list[LeftOut]]:
    listing = list_files(corpus.root, pattern, f"corpus.{role}", ENDINGS)
    if not is_dataset_folder(listing):
        return listing.found, listing.left_out
    files, others = files_of_split(listing, role, corpus.place(pattern))
    return files, listing.left_out + others


def named_files(corpus: Corpus, pattern: str, field: str) -> list[CorpusFile]:
    """Returns the files below the root that a name, folder or glob of another field stands for, sorted by name.

    Args:
        corpus: Gives the root.
        pattern: See `lstmlm.corpus.listing.list_files`.
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
        raise UserError("a file name that is not UTF-8", where=ascii(found.path), cure="Rename it") from error
    named = compression_of(found.name)
    ending = PurePosixPath(found.name.lower().removesuffix(f".{named}")).suffix
    format = _NAMES.get(ending)
    if format is None or (named and format == PARQUET):
        cure = f"Rename or convert it: a corpus file ends in {', '.join(FORMATS)}; all but the last may be compressed"
        raise UserError("unknown kind of corpus file", where=found.path, cure=cure)
    if format == PARQUET:
        return CorpusFile(index, found.name, found.path, format, "", split, found.size)
    if is_empty(found.path, found.size):  # a part of a table that got no rows
        return CorpusFile(index, found.name, found.path, format, "", split, 0)
    compression = compression_within(found.path, found.size, named)
    content = content_of(found.path, found.size, compression, format)
    return CorpusFile(index, found.name, found.path, format, compression, split, found.size, content)


def compression_of(name: str) -> str:
    """Returns the compression that a file's ending speaks of: `gz`, `bz2`, `xz`, `zst`, or nothing."""
    ending = PurePosixPath(name.lower()).suffix.removeprefix(".")
    return ending if ending in COMPRESSIONS else ""


def corpus_fingerprint(recipe: Recipe) -> str:
    """Returns the fingerprint of the records folder this recipe makes: the sections read and every file's content.

    Reads every local file once; of a remote one the checksum that its store keeps is taken. Where the corpus lies
    does not matter, names below the root do.

    Raises:
        UserError: As `list_corpus`, or a file cannot be read.
    """
    section = recipe.corpus.model_dump(mode="json", exclude={"root"})
    files = corpus_files(recipe)
    for pattern in recipe.corpus.decontamination.files:
        files += named_files(recipe.corpus, pattern, "corpus.decontamination.files")
    content = [(file.name, file.split, file.size, _checksum(file.path)) for file in files]
    key = key_fingerprint(recipe.corpus.privacy)  # the recipe names only the variable that holds it
    return fingerprint("ingest", INGEST_VERSION, recipe.task, recipe.seed, section, content, key)


def _checksum(path: str) -> str:
    if is_remote(path):
        try:
            return str(file_systems(path).checksum(path))
        except UserError:
            raise
        except Exception as error:  # every store raises its own kinds
            raise cannot_reach(path, error) from error
    try:
        return sha256_file(Path(path))
    except OSError as error:
        raise cannot_read(path, error) from error
