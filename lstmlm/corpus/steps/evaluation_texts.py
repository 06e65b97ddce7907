"""The texts of evaluation files, for `lstmlm.corpus.steps.decontaminate`.

A file that is not compared lets its texts through into training without a word. So a row that cannot be read fails the
run, and so does a file without a text to compare.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.corpus.reading.nested import value_of
from lstmlm.corpus.reading.readers import READERS, read_file
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.steps.decontaminate import write_index
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.task import load_task

FIELD = "corpus.decontamination.files"

_KEYS_SHOWN = 12


@dataclasses.dataclass(slots=True)
class Compared:
    """What was found in an evaluation file.

    Attributes:
        name: `CorpusFile.name`.
        rows: Rows that are not blank.
        texts: Texts that records are compared with.
    """

    name: str
    rows: int = 0
    texts: int = 0

    def row(self) -> list[Any]:
        """Returns name, rows and texts."""
        return [self.name, self.rows, self.texts]


def index_evaluation_texts(recipe: Recipe, files: Sequence[CorpusFile], folder: Path) -> list[Compared]:
    """Writes the index of the recipe's evaluation files to a folder; nothing where the recipe names no files.

    Returns:
        What was found in each file.

    Raises:
        UserError: A file is not there, cannot be read to its end, or has no text to compare.
    """
    found: list[Compared] = []
    if recipe.corpus.decontamination.files:
        write_index(folder, _texts(recipe, files, found), recipe.corpus.decontamination.ngram)
    return found


def compared_columns(corpus: CorpusSection, *, has_targets: bool) -> list[str]:
    """Returns the columns or keys whose text is compared."""
    named = corpus.decontamination.columns
    if named:
        return list(named)
    return [corpus.source, *([corpus.target] if has_targets and corpus.target is not None else [])]


def _texts(recipe: Recipe, files: Sequence[CorpusFile], found: list[Compared]) -> Iterator[tuple[str, str]]:
    corpus = recipe.corpus
    columns = compared_columns(corpus, has_targets=load_task(recipe.task).has_targets)
    for file in files:
        compared = Compared(file.name)
        found.append(compared)
        yield from _texts_of(file, corpus, columns, compared)


def _texts_of(
    file: CorpusFile, corpus: CorpusSection, columns: Sequence[str], compared: Compared
) -> Iterator[tuple[str, str]]:
    keys: dict[str, None] = {}
    compared_in = columns if READERS.load(file.reader).has_columns else [corpus.source]
    for row in read_file(file, corpus, ()):
        if row.dead:
            what = f"an evaluation row that cannot be read: {row.dead}"
            hint = f"Repair it, or leave the file out of {FIELD}: what is not read is not compared"
            raise UserError(what, where=f"{file.path}:{row.line}", hint=hint)
        if row.fields is None:
            continue  # blank
        compared.rows += 1
        keys.update(dict.fromkeys(row.fields))
        for text in _texts_in(row.fields, compared_in):
            compared.texts += 1
            yield f"{file.name}:{row.line}", text
    if not compared.texts:
        raise _nothing_to_compare(file, columns, list(keys), compared.rows)


def _texts_in(fields: Mapping[str, Any], columns: Sequence[str]) -> Iterator[str]:
    for column in columns:
        value = value_of(fields, column)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text.strip():
                yield text


def _nothing_to_compare(file: CorpusFile, columns: Sequence[str], keys: Sequence[str], rows: int) -> UserError:
    looked_for = " or ".join(map(repr, columns))
    shown = ", ".join(map(repr, keys[:_KEYS_SHOWN])) + (", ..." if len(keys) > _KEYS_SHOWN else "")
    there = f"no row has text under {looked_for}; its keys are {shown}" if rows else "it has no rows"
    what = f"an evaluation file with nothing to compare: {there}"
    return UserError(what, where=file.path, hint="Name the keys of its texts in corpus.decontamination.columns")
