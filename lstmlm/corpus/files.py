"""The files a recipe's corpus consists of, and what identifies them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from lstmlm.errors import UserError
from lstmlm.publish import fingerprint, sha256_file
from lstmlm.recipe import Recipe

INGEST_VERSION = 1
"""Raise it with every change that makes ingest write other bytes."""

FORMATS = (".txt", ".tsv", ".jsonl")

Split = Literal["train", "valid"]


@dataclasses.dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of the corpus.

    Attributes:
        index: Position in the corpus: train files first, each split sorted by name.
        name: Path below the corpus root, with forward slashes.
        path: Where it lies.
        format: `.txt`, `.tsv` or `.jsonl`.
        zipped: Whether it is compressed with gzip.
        split: The split it is given for; None: each record's id decides.
    """

    index: int
    name: str
    path: Path
    format: str
    zipped: bool
    split: Split | None


def corpus_files(recipe: Recipe) -> list[CorpusFile]:
    """Returns the corpus files of a recipe in corpus order.

    Raises:
        UserError: A pattern matches nothing, a file has an unknown ending or is named for both splits.
    """
    corpus = recipe.corpus
    root = corpus.root
    if not root.is_dir():
        raise UserError("no such folder", where=str(root), cure="Set corpus.root to the folder of the corpus")
    train = _matches(root, corpus.train, "corpus.train")
    valid = [] if corpus.valid is None else _matches(root, corpus.valid, "corpus.valid")
    both = sorted(set(train) & set(valid))
    if both:
        cure = "Name it in one of them, or leave out corpus.valid for a hash split"
        raise UserError("named by corpus.train and by corpus.valid", where=str(both[0]), cure=cure)
    first: Split | None = None if corpus.valid is None else "train"
    named: list[tuple[Path, Split | None]] = [(path, first) for path in train]
    named += [(path, "valid") for path in valid]
    return [_corpus_file(index, root, path, split) for index, (path, split) in enumerate(named)]


def _matches(root: Path, pattern: str, field: str) -> list[Path]:
    if Path(pattern).is_absolute():
        raise UserError(f"{pattern} is absolute", where=field, cure="Name it relative to corpus.root")
    exact = root / pattern
    # A name may hold characters that mean something in a glob.
    found = [exact] if exact.is_file() else sorted(path for path in root.glob(pattern) if path.is_file())
    if not found:
        cure = f"Check {field} and corpus.root in the recipe"
        raise UserError("no such file in the corpus", where=str(exact), cure=cure)
    return found


def _corpus_file(index: int, root: Path, path: Path, split: Split | None) -> CorpusFile:
    zipped = path.suffix == ".gz"
    ending = Path(path.stem).suffix if zipped else path.suffix
    if ending not in FORMATS:
        cure = "Rename or convert it: a corpus file ends in .txt, .tsv or .jsonl, or one of these and .gz"
        raise UserError("unknown kind of corpus file", where=str(path), cure=cure)
    return CorpusFile(index, path.relative_to(root).as_posix(), path, ending, zipped, split)


def corpus_fingerprint(recipe: Recipe) -> str:
    """Returns the fingerprint of the records folder this recipe makes: the sections read and every file's content.

    Reads every corpus file once. Where the corpus lies does not matter, names below the root do.

    Raises:
        UserError: As `corpus_files`, or a file cannot be read.
    """
    section = recipe.corpus.model_dump(mode="json", exclude={"root"})
    files = [(file.name, file.split, *_identity(file.path)) for file in corpus_files(recipe)]
    return fingerprint("ingest", INGEST_VERSION, recipe.task, recipe.seed, section, files)


def _identity(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_size, sha256_file(path)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), cure="Check its permissions") from error
