"""The files of a corpus as a run finds them: listed, looked at and hashed once, for its fingerprint and its passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lstmlm.corpus.sources.files import CorpusListing, checksum, list_corpus, named_files
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.steps.extensions import extension_versions
from lstmlm.corpus.steps.privacy.replace import key_fingerprint
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES
from lstmlm.task import load_task

EVALUATION = "corpus.decontamination.files"


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a corpus.

    Attributes:
        listing: Those that records are read from.
        evaluation: Those of `corpus.decontamination`, in the order of the recipe.
        checksums: Path -> sha256, or the checksum that a store keeps.
        fingerprint: Of the records folder that a recipe makes of them.
    """

    listing: CorpusListing
    evaluation: tuple[CorpusFile, ...]
    checksums: Mapping[str, str]
    fingerprint: str


def snapshot(recipe: Recipe, *, held_out: bool = True) -> Snapshot:
    """Lists and hashes the files of a recipe's corpus.

    The fingerprint is of the sections that decide the records, and of every file's name and content; where the corpus
    is stored does not matter. A local file is read once; of a remote one the checksum that its store keeps is taken.

    Args:
        recipe: The run.
        held_out: See `list_corpus`.

    Raises:
        UserError: As `list_corpus`, or a file cannot be read.
    """
    listing = list_corpus(recipe, held_out=held_out)
    patterns = recipe.corpus.decontamination.files
    evaluation = tuple(file for pattern in patterns for file in named_files(recipe.corpus, pattern, EVALUATION))
    files = [*listing.files, *evaluation]
    checksums = {path: checksum(path) for path in dict.fromkeys(file.path for file in files)}
    content: list[tuple[Any, ...]] = [(file.name, file.split, file.size, checksums[file.path]) for file in files]
    # Files without names of classes keep the fingerprint that they had before there were any.
    content += [(file.name, file.classes) for file in files if file.classes]
    stage, key = STAGES["ingest"], key_fingerprint(recipe.corpus.privacy)  # the recipe names only the key's variable
    named = load_task(recipe.task).corpus_stamp(recipe)
    stamp = stage.stamp(*stage.decided(recipe).values(), content, key, *extension_versions(recipe.corpus), *named)
    return Snapshot(listing, evaluation, checksums, stamp)


def corpus_fingerprint(recipe: Recipe, *, held_out: bool = True) -> str:
    """Returns the fingerprint of `snapshot`."""
    return snapshot(recipe, held_out=held_out).fingerprint
