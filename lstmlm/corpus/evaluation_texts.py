"""The texts of evaluation files, for `lstmlm.corpus.decontaminate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lstmlm.corpus.decontaminate import write_index
from lstmlm.corpus.files import named_files
from lstmlm.corpus.parts import needed_columns
from lstmlm.corpus.readers import read_file
from lstmlm.recipe import Recipe
from lstmlm.recipe_corpus import Corpus
from lstmlm.task import BadRecord, load_task


def index_evaluation_texts(recipe: Recipe, folder: Path) -> Path | None:
    """Writes the index of the recipe's evaluation files to a folder; None where the recipe names no files.

    Raises:
        UserError: A file is not there or cannot be read.
    """
    corpus = recipe.corpus
    if not corpus.decontamination.files:
        return None
    write_index(folder, _texts(corpus, recipe.task), corpus.decontamination.ngram)
    return folder


def _texts(corpus: Corpus, task_name: str) -> Iterator[tuple[str, str]]:
    task = load_task(task_name)
    needed = needed_columns(corpus.model_copy(update={"id": None, "split_key": None}), task)
    for pattern in corpus.decontamination.files:
        for file in named_files(corpus, pattern, "corpus.decontamination.files"):
            for row in read_file(file, corpus, needed):
                name = f"{file.name}:{row.line}"
                if row.fields is None:
                    continue  # blank or malformed: there is no text to be met
                try:
                    record = task.record(row.fields, name, corpus)
                except BadRecord:
                    continue
                for text in (record.source, *record.targets):
                    yield name, text
