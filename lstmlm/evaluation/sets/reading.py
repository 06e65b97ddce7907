"""Reads the records of a test set: of files, as the ingest stage reads the files that a recipe names as valid."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.passes.records import make_block, needed_columns
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.reading.rows import blocks
from lstmlm.corpus.sources.files import checksum, named_files
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.steps.chain import steps
from lstmlm.corpus.steps.privacy.published import scrubber_of
from lstmlm.errors import UserError
from lstmlm.inference.input.inputs import named
from lstmlm.publish.folder import fingerprint
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record
from lstmlm.task import load_task

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class TestSet:
    """The records of files.

    Attributes:
        name: What it is called: the path as it was given.
        records: Its records, in the order of the files.
        rows: Rows read.
        dead: Rows that cannot be records: `file`, `line`, `reason`.
    """

    __test__ = False  # pytest takes it for a class of tests

    name: str
    records: list[Record]
    rows: int
    dead: list[dict[str, Any]]


def files_of(path: Path, recipe: Recipe) -> tuple[Recipe, list[CorpusFile]]:
    """Returns the files of a path, and the recipe with the folder that their names are relative to.

    Args:
        path: A file, a folder or a glob, or the URL of one in a store.
        recipe: Its `corpus` section says how files are read.

    Raises:
        UserError: There are none, or one cannot be read.
    """
    place = named(path, recipe)
    corpus = recipe.corpus.model_copy(update={"root": place.root})
    return recipe.model_copy(update={"corpus": corpus}), named_files(corpus, place.pattern, "--input")


def set_fingerprint(path: Path, recipe: Recipe) -> str:
    """Returns what identifies the content of a test set and how it is read."""
    _, files = files_of(path, recipe)
    read = recipe.model_dump(mode="json", include={"task", "corpus"})
    read["corpus"].pop("root")
    return fingerprint([(file.name, checksum(file.path)) for file in files], read, recipe.given_options)


def read_set(path: Path, recipe: Recipe) -> TestSet:
    """Reads a test set.

    Rows are cleaned as those of a file that the recipe names as valid: normalised where the recipe says so, and
    never dropped by a rule for training text.

    Raises:
        UserError: There are no files or no records, or too many rows cannot be records.
    """
    run, files = files_of(path, recipe)
    found = list(_blocks(run, files))
    records = [record for block in found for record in block.records]
    dead = [letter for block in found for letter in block.dead]
    rows = sum(block.lines for block in found)
    if dead and len(dead) > run.corpus.max_dead_fraction * rows:
        first = dead[0]
        what = f"{len(dead)} of {rows} rows cannot be evaluated; the first: {first['reason']}"
        hint = "Correct it, or raise corpus.max_dead_fraction"
        raise UserError(what, where=f"{path}: {first['file']}:{first['line']}", hint=hint)
    if not records:
        raise UserError("no records, so nothing can be evaluated", where=str(path), hint="Name a file with rows")
    for letter in dead:
        _LOG.warning("left out: %s:%s: %s", letter["file"], letter["line"], letter["reason"])
    return TestSet(str(path), records, rows, dead)


def _blocks(recipe: Recipe, files: Sequence[CorpusFile]) -> Iterator[Block]:
    """Yields the blocks of all files, cleaned."""
    task, scrubber = load_task(recipe.task), scrubber_of(recipe.corpus.privacy)
    wanted = needed_columns(recipe, task)
    chain = [step for step in steps(recipe.corpus, None, task.further_texts) if not step.only_train]
    for step in chain:
        step.setup()
    for file in files:
        for rows in blocks(read_file(file, recipe.corpus, wanted), task.block_rows):
            block = make_block(rows, file, task, recipe, scrubber if recipe.corpus.id is not None else None)
            for step in chain:
                block = step(block)
            yield block
