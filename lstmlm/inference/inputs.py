"""Where the batch job finds what it decodes: files of any kind, or the sources of the valid split."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.corpus.files import ENDINGS, CorpusFile, corpus_file
from lstmlm.corpus.listing import Found, list_files
from lstmlm.corpus.readers import read_file
from lstmlm.corpus.rows import Row
from lstmlm.corpus.shards import records_in
from lstmlm.errors import UserError
from lstmlm.inference.example_rows import TFRECORD, example_rows
from lstmlm.inference.requests import Dead, Request, Source
from lstmlm.publish import fingerprint, read_manifest, sha256_file
from lstmlm.recipe import Recipe
from lstmlm.records import stable_hash

KINDS = (*ENDINGS, TFRECORD)
_GLOB = re.compile(r"[*?[]")


@dataclasses.dataclass(frozen=True)
class Files:
    """The rows of files; blank lines are no inputs.

    Attributes:
        root: Folder that the names of the files are relative to.
        pattern: A file, a folder or a glob below it.
        recipe: Gives the keys, the seed and the longest line.
        target: Key of the output text; None: it is not asked for.
    """

    root: Path
    pattern: str
    recipe: Recipe
    target: str | None = None

    @property
    def where(self) -> str:
        """See `Source`."""
        return str(self.root / self.pattern)

    def stamp(self) -> str:
        """See `Source`."""
        keys = [self.recipe.inference.field, self.recipe.inference.id, self.recipe.corpus.max_line_bytes, self.target]
        return fingerprint("files", [(file.name, sha256_file(Path(file.path))) for file in self._files()], keys)

    def items(self) -> Iterator[Request | Dead]:
        """See `Source`."""
        rows = ((file.name, row) for file in self._files() for row in self._rows(file) if not row.dropped)
        for index, (name, row) in enumerate(rows):
            if row.fields is None:
                yield Dead(index, row.dead, name, row.line)
            else:
                yield self._item(index, name, row.line, row.fields)

    def _files(self) -> list[CorpusFile]:
        if not _GLOB.search(self.pattern) and not (self.root / self.pattern).exists():
            cure = "Check the path, or inference.input and corpus.root in the recipe"
            raise UserError("no such input file", where=self.where, cure=cure)
        found = list_files(self.root, self.pattern, "inference.input", KINDS).found
        return [_file(one, place) for place, one in enumerate(found)]

    def _rows(self, file: CorpusFile) -> Iterator[Row]:
        wanted = [self.recipe.inference.field, self.target, self.recipe.inference.id]
        keys = [key for key in wanted if key is not None]
        corpus = self.recipe.corpus.model_copy(update={"source": self.recipe.inference.field, "unit": "line"})
        return example_rows(file.path) if file.format == TFRECORD else read_file(file, corpus, keys)

    def _item(self, index: int, file: str, line: int, fields: Mapping[str, Any]) -> Request | Dead:
        keys, seed = self.recipe.inference, self.recipe.seed
        record_id = f"{file}:{line}" if keys.id is None else fields.get(keys.id)
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record_id = str(record_id)
        if not isinstance(record_id, str) or not record_id:
            return Dead(index, f"no id in field {keys.id!r}", file, line)
        texts = [keys.field, *([] if self.target is None else [self.target])]
        for key in texts:
            reason = _fault(fields, key)
            if reason:
                return Dead(index, reason, file, line, record_id)
        target = "" if self.target is None else fields[self.target]
        return Request(index, record_id, fields[keys.field], stable_hash(seed, record_id), file, line, target)


def _file(found: Found, place: int) -> CorpusFile:
    if found.name.lower().endswith(TFRECORD):
        return CorpusFile(place, found.name, found.path, TFRECORD, "", None, found.size)
    return corpus_file(found, place)


def _fault(fields: Mapping[str, Any], key: str) -> str:
    """Says why a field is no text to work with; empty where it is one."""
    if key not in fields:
        return f"no field {key!r} (there are {', '.join(map(repr, fields)) or 'none'})"
    if not isinstance(fields[key], str):
        return f"field {key!r} is not text"
    return "" if fields[key].strip() else f"field {key!r} is empty"


@dataclasses.dataclass(frozen=True)
class ValidSplit:
    """The sources of a records folder's valid split, each record by itself.

    Attributes:
        folder: The records folder.
        recipe: Gives the seed and the number of records taken at most.
    """

    folder: Path
    recipe: Recipe

    @property
    def where(self) -> str:
        """See `Source`."""
        return str(self.folder)

    def stamp(self) -> str:
        """See `Source`."""
        found = read_manifest(self.folder, "records")
        return fingerprint("valid", found.fingerprint, self.recipe.inference.max_records)

    def items(self) -> Iterator[Request | Dead]:
        """See `Source`."""
        records = itertools.islice(records_in(self.folder, "valid"), self.recipe.inference.max_records)
        for index, record in enumerate(records):
            yield Request(index, record.id, record.source, stable_hash(self.recipe.seed, record.id), "Split-valid")


def choose(recipe: Recipe, records: Path | None, input: Path | None) -> Source:
    """Returns what to decode: `input`, else the recipe's inference.input, else the valid split of `records`.

    Raises:
        UserError: There is none of them.
    """
    if input is not None:
        return named(input, recipe)
    if recipe.inference.input is not None:
        if isinstance(recipe.corpus.root, str):
            cure = "Copy the input here and name it by --input"
            raise UserError("the batch job reads local files", where=recipe.corpus.root, cure=cure)
        return Files(recipe.corpus.root, recipe.inference.input, recipe)
    if records is not None:
        return ValidSplit(records, recipe)
    raise UserError("nothing to decode", where="inference.input", cure="Name a file or a records folder")


def named(path: Path, recipe: Recipe, target: str | None = None) -> Files:
    """Returns the files that a path stands for: a file, all files of a folder, or those that a glob matches."""
    if path.is_dir():
        return Files(path, ".", recipe, target)
    literal = path.parent
    while not literal.is_dir() and literal != literal.parent:
        literal = literal.parent
    return Files(literal, path.relative_to(literal).as_posix(), recipe, target)
