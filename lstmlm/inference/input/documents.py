"""The documents of `inference.documents`: passages to look for an answer in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.sources.files import checksum, corpus_file
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.sources.kinds import file_kinds
from lstmlm.corpus.sources.listing import list_files
from lstmlm.errors import UserError
from lstmlm.publish.folder import fingerprint
from lstmlm.recipe.recipe import Recipe

FIELD = "inference.documents"


class Document(NamedTuple):
    """A passage: a line of a .txt file, or a row.

    Attributes:
        id: The value of `corpus.id`; without one, `file:line`.
        text: The value of `corpus.source`.
    """

    id: str
    text: str


def documents(recipe: Recipe) -> list[Document]:
    """Reads the documents that a recipe names; rows without text are left out.

    Raises:
        UserError: There is no file, or none has text.
    """
    found = [document for file in _files(recipe) for document in _read(file, recipe)]
    if not found:
        hint = "Name files with text in the column that corpus.source names"
        raise UserError("no document has text", where=FIELD, hint=hint)
    return found


def documents_stamp(recipe: Recipe) -> list[str]:
    """Returns what identifies the documents and how they are used; empty without any."""
    if recipe.inference.documents is None:
        return []
    keys = recipe.corpus.source, recipe.corpus.id, recipe.corpus.max_line_bytes, recipe.inference.read_documents
    return [fingerprint("documents", [(file.name, checksum(file.path)) for file in _files(recipe)], keys)]


def _files(recipe: Recipe) -> list[CorpusFile]:
    assert recipe.inference.documents is not None
    kinds = file_kinds(recipe.corpus)
    found = list_files(recipe.corpus.root, recipe.inference.documents, FIELD, kinds.endings).found
    return [corpus_file(one, place, None, kinds) for place, one in enumerate(found)]


def _read(file: CorpusFile, recipe: Recipe) -> Iterator[Document]:
    corpus = recipe.corpus
    for row in read_file(file, corpus, [corpus.source]):
        text = (row.fields or {}).get(corpus.source)
        if isinstance(text, str) and text.strip():
            given = None if corpus.id is None else (row.fields or {}).get(corpus.id)
            named = isinstance(given, str | int) and not isinstance(given, bool)
            yield Document(str(given) if named else f"{file.name}:{row.line}", text)
