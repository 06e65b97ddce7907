"""Copies a sample of a corpus into files of JSON lines, for small runs of the real stages."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.sources.files import list_corpus
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import Decontamination
from lstmlm.recipe.sections.inference import InferenceSection
from lstmlm.task import load_task

MOST_FILES = 16
"""Files that a sample is taken from, evenly among all."""
SMALL, LARGE, VALID = "small.jsonl", "large.jsonl", "valid.jsonl"


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """A sample of a corpus: `LARGE`, of which every second row is in `SMALL`; and `VALID`, where files hold that split.

    Attributes:
        folder: The folder of the files.
        rows: Rows of `LARGE`.
        bytes: Bytes of these in the corpus's own files.
        corpus_bytes: Bytes of all files to train on.
        corpus_files: How many these are.
        valid_records: Rows of the files that hold the valid split.
        plain: Whether the bytes of a row are those in the files, so that rows can be counted by bytes.
    """

    folder: Path
    rows: int
    bytes: int
    corpus_bytes: int
    corpus_files: int
    valid_records: int
    plain: bool

    def recipe(self, recipe: Recipe, name: str) -> Recipe:
        """Returns the recipe with the rows of a file for its corpus; what needs other files is left out."""
        corpus = recipe.corpus.model_copy(
            update={
                "root": self.folder,
                "train": name,
                "valid": None if recipe.corpus.valid is None else VALID,
                "delimiter": None,
                "encoding": None,
                "columns": (),
                "unit": "line",
                "mixture": (),
                "decontamination": Decontamination(),
                "max_dead_fraction": 1.0,
            }
        )
        asked = InferenceSection(field=recipe.inference.field, shards=1, max_dead_fraction=1.0)
        changed = {"corpus": corpus, "output": self.folder / "runs", "inference": asked}
        return recipe.model_copy(update=changed)


def draw(recipe: Recipe, folder: Path, most: int) -> Sample:
    """Draws a sample: the beginnings of files evenly chosen among those of the corpus.

    Args:
        recipe: The run.
        folder: Gets the files.
        most: Bytes of the sample, about.

    Raises:
        UserError: The corpus cannot be read, or its rows hold bytes.
    """
    found = list_corpus(recipe).files
    train = [file for file in found if file.split != "valid"]
    chosen = [train[n * len(train) // MOST_FILES] for n in range(MOST_FILES)] if len(train) > MOST_FILES else train
    rows = size = 0
    with (folder / LARGE).open("w", encoding="utf-8") as large, (folder / SMALL).open("w", encoding="utf-8") as small:
        for line, taken in _lines(recipe, chosen, most):
            large.write(line)
            if rows % 2 == 0:
                small.write(line)
            rows, size = rows + 1, size + taken
    if not rows:
        raise UserError("the corpus has no row that can be read", where="corpus.train", hint="Run `lstmlm ingest`")
    valid = _write_valid(recipe, [file for file in found if file.split == "valid"], folder / VALID, most)
    plain = not any(file.compression for file in train) and all(file.size >= 0 for file in train)
    return Sample(folder, rows, size, sum(file.size for file in train), len(train), valid, plain)


def _write_valid(recipe: Recipe, files: Sequence[CorpusFile], path: Path, most: int) -> int:
    """Writes rows of the files of the valid split; returns how many rows these have."""
    if not files:
        return 0
    rows = size = 0
    with path.open("w", encoding="utf-8") as stream:
        for line, taken in _lines(recipe, files, most):
            stream.write(line)
            rows, size = rows + 1, size + taken
    return max(rows, round(rows * sum(file.size for file in files) / max(1, size)))


def _lines(recipe: Recipe, files: Sequence[CorpusFile], most: int) -> Iterator[tuple[str, int]]:
    """Yields rows as lines of JSON, each with its bytes; of every file as much as its share."""
    needed = load_task(recipe.task).columns(recipe)
    share = most // len(files)
    for file in files:
        taken = 0
        for row in read_file(file, recipe.corpus, needed, others=True):
            if row.fields is not None:
                taken += row.size + 1
                yield _line(row, file.name), row.size + 1
            if taken >= share:
                break


def _line(row: Row, name: str) -> str:
    try:
        return json.dumps(row.fields, ensure_ascii=False) + "\n"
    except TypeError as error:
        hint = "Run the stages on a part of the corpus"
        raise UserError("only corpora of text can be planned", where=f"{name}:{row.line}", hint=hint) from error
