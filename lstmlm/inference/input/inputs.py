"""Finds the inputs of the batch job: files of any format, local or in a store, or the valid split."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.sources.files import checksum, corpus_file
from lstmlm.corpus.sources.found import CorpusFile, Found
from lstmlm.corpus.sources.kinds import FileKinds, file_kinds
from lstmlm.corpus.sources.listing import list_files
from lstmlm.errors import UserError
from lstmlm.inference.input.requests import Dead, RecordId, Request, Source, id_text, seed_of
from lstmlm.publish.folder import fingerprint, read_manifest
from lstmlm.publish.places import check_local
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.records.record import stable_hash
from lstmlm.records.shards import records_in
from lstmlm.task import BadRecord, Task, load_task, request_text

_BY_ITSELF = ""
"""In the place of a file's reader: the file is a request, see `Task.file_endings`."""
_GLOB = re.compile(r"[*?[]")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(?=[^/])")


@dataclasses.dataclass(frozen=True)
class Files:
    """The rows of files; blank lines are no inputs.

    Attributes:
        root: Folder that the names of the files are relative to, or the URL of one (`s3://bucket/folder`).
        pattern: A file, a folder or a glob below it.
        recipe: Gives the keys, the seed and the longest line.
        target: Key of the output text; None: it is not asked for.
        exact: The pattern names one file, which may be a link to somewhere else, and is never a glob.
    """

    root: Path | str
    pattern: str
    recipe: Recipe
    target: str | None = None
    exact: bool = False

    @property
    def where(self) -> str:
        """See `Source`."""
        if isinstance(self.root, Path):
            return str(self.root / self.pattern)
        return self.root if self.pattern == "." else f"{self.root.rstrip('/')}/{self.pattern}"

    def stamp(self) -> str:
        """See `Source`."""
        keys = [self.recipe.inference.field, self.recipe.inference.id, self.recipe.corpus.max_line_bytes, self.target]
        if self._columns != [self.recipe.inference.field]:
            keys.append(",".join(self._columns))
        asked = self.recipe.inference
        if asked.delimiter or asked.encoding or asked.columns:
            keys.append(repr((asked.delimiter, asked.encoding, asked.columns)))
        if asked.constraint_columns:
            keys.append(repr((sorted(asked.constraint_columns.items()), asked.separator)))
        if self._task.file_endings:
            keys += self._named_files()
        return fingerprint("files", [(file.name, checksum(file.path)) for file in self._files()], keys)

    def _named_files(self) -> list[str]:
        """Returns what identifies the files that requests name: path, size and time of the last change."""
        fields = (item.fields for item in self.items() if isinstance(item, Request))
        paths = (Path(value) for values in fields for value in values.values() if isinstance(value, str))
        return [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths]

    def items(self) -> Iterator[Request | Dead]:
        """See `Source`."""
        rows = ((file, row) for file in self._files() for row in self._rows(file) if not row.dropped)
        for index, (file, row) in enumerate(rows):
            if row.fields is None:
                yield Dead(index, row.dead, file.name, row.line)
            else:
                yield self._item(index, file, row)

    def _files(self) -> list[CorpusFile]:
        if isinstance(self.root, str):
            return [corpus_file(one, n, None, self._kinds) for n, one in enumerate(self._stored(self.root))]
        path = self.root / self.pattern
        if self.exact and path.is_file():
            return [self._file(Found(self.pattern, str(path), path.stat().st_size), 0)]
        if not _GLOB.search(self.pattern) and not path.exists():
            hint = "Check the path, or inference.input and corpus.root in the recipe"
            raise UserError("no such input file", where=self.where, hint=hint)
        endings = (*self._kinds.endings, *self._task.file_endings)
        found = list_files(self.root, self.pattern, "inference.input", endings).found
        return [self._file(one, n) for n, one in enumerate(found)]

    def _file(self, found: Found, place: int) -> CorpusFile:
        """Returns a file of rows, or one that is a request by itself."""
        if found.name.lower().endswith(tuple(self._task.file_endings)):
            return CorpusFile(place, found.name, found.path, _BY_ITSELF, "", None, found.size)
        return corpus_file(found, place, None, self._kinds)

    def _stored(self, root: str) -> list[Found]:
        """Returns the files of a store; those of a folder have names relative to it, as here.

        Raises:
            UserError: There are none, they cannot be listed, or the reader of one is for local files only.
        """
        stores = file_kinds(input_form(self.recipe), requests=True, stores=True)
        found = list_files(root, self.pattern, "inference.input", stores.endings).found
        for one in found:
            if not stores.reader_of(one.name) and (local := self._kinds.reader_of(one.name)):
                hint = "Copy it here and name it by --input"
                ending = self._kinds.readers[local[0]].endings[0]
                raise UserError(f"{ending} files are read on this machine only", where=one.path, hint=hint)
        inside = f"{self.pattern}/"
        if all(one.name.startswith(inside) for one in found):
            return [dataclasses.replace(one, name=one.name.removeprefix(inside)) for one in found]
        return found

    def _id_column(self, file: CorpusFile) -> str | None:
        """Returns the column of the ids; a line of text has no columns, so none that holds one."""
        if file.reader == _BY_ITSELF:
            return None
        return self.recipe.inference.id if self._kinds.readers[file.reader].has_columns else None

    def _rows(self, file: CorpusFile) -> Iterator[Row]:
        if file.reader == _BY_ITSELF:
            return iter([Row(1, file.size, {self.recipe.inference.field: file.name})])
        record_id = self._id_column(file)
        own = self.recipe.inference.constraint_columns.values()
        keys = [key for key in (*self._columns, self.target, record_id, *own) if key is not None]
        corpus = input_form(self.recipe).model_copy(update={"source": self.recipe.inference.field, "unit": "line"})
        return read_file(file, corpus, keys, others=True)

    def _item(self, index: int, file: CorpusFile, row: Row) -> Request | Dead:
        """Returns what a row that can be read comes to."""
        fields, key = row.fields or {}, self._id_column(file)
        named = file.name if file.reader == _BY_ITSELF else f"{file.name}:{row.line}"
        record_id = named if key is None else _id(fields.get(key))
        if record_id is None:
            return Dead(index, _no_id(fields, str(key)), file.name, row.line)
        try:
            request = self._task.request_at(fields, self.root, self.recipe)
            if self.target is not None:
                request["target"] = request_text(fields, self.target, may_be_empty=not self._task.has_targets)
        except BadRecord as problem:
            return Dead(index, str(problem), file.name, row.line, record_id)
        # Without an id the draws depend on the place and the text, so that another file name changes nothing.
        own = self.recipe.seed
        seed = seed_of(own, index, request) if key is None else stable_hash(own, id_text(record_id))
        return Request(index, record_id, request, seed, file.name, row.line, self._extra(fields, key))

    def _extra(self, fields: Mapping[str, Any], record_id: str | None) -> dict[str, Any]:
        """Returns the columns that are passed on; one that has the name of one of ours gets `input_` before it."""
        ours = self._task.schema(self.recipe)
        used = {*self._columns, record_id}
        return {_free(name, fields, ours): value for name, value in fields.items() if name not in used}

    @functools.cached_property
    def _kinds(self) -> FileKinds:
        return file_kinds(input_form(self.recipe), requests=True)

    @functools.cached_property
    def _task(self) -> Task:
        return load_task(self.recipe.task)

    @functools.cached_property
    def _columns(self) -> list[str]:
        return list(self._task.request_columns(self.recipe))


def input_form(recipe: Recipe) -> CorpusSection:
    """Returns how the files of the batch job's input are read: as `inference` says how they are written."""
    asked = recipe.inference
    form = {"delimiter": asked.delimiter, "encoding": asked.encoding, "columns": asked.columns}
    return recipe.corpus.model_copy(update=form)


def _id(value: Any) -> RecordId | None:
    """Returns a value that can be an id; None for another."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None  # what pandas writes for a missing number
    return value if value != "" else None


def _no_id(fields: Mapping[str, Any], key: str) -> str:
    if fields.get(key) is None:
        return f"no id in field {key!r}"
    return f"no id in field {key!r}: {str(fields[key])[:40]!r} is not text or a number"


def _free(name: str, fields: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    found = name
    while found in ours or (found != name and found in fields):
        found = f"input_{found}"
    return found


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
        task = load_task(self.recipe.task)
        for index, record in enumerate(records):
            seed = stable_hash(self.recipe.seed, record.id)
            yield Request(index, record.id, task.request_of(record), seed, "Split-valid")


def choose(recipe: Recipe, records: Path | None, input: Path | None) -> Source:
    """Returns what to decode: `input`, else the recipe's inference.input, else the valid split of `records`.

    Raises:
        UserError: There is none of them.
    """
    if input is not None:
        return named(input, recipe)
    if recipe.inference.input is not None:
        return Files(recipe.corpus.root, recipe.inference.input, recipe)
    if records is not None:
        for name in recipe.inference.constraint_columns:
            what = "the input is the valid split, whose records have no such column"
            raise UserError(what, where=f"inference.{name}", hint="Leave it out, or name an input")
        return ValidSplit(records, recipe)
    raise UserError("nothing to decode", where="inference.input", hint="Name a file or a records folder")


def chosen_fingerprint(recipe: Recipe) -> str:
    """Returns what identifies the files to decode; empty where they are the valid split, which a stage made.

    Raises:
        UserError: The recipe names an input file that is not there.
    """
    return "" if recipe.inference.input is None else choose(recipe, None, None).stamp()


def named(path: Path, recipe: Recipe, target: str | None = None) -> Files:
    """Returns the files that a path names: a file, all files of a folder, or those that a glob matches.

    A URL of a store (`s3://bucket/in.jsonl`) may come as a path, which has only one of its slashes.

    Raises:
        UserError: It is a URL of a local file.
    """
    url = _URL.match(str(path))
    if url is not None and not Path(f"{url[1]}:").is_dir():
        if url[1].lower() == "file":
            check_local(path, "--input")
        return _remote(f"{url[1]}://", str(path)[url.end() :].split("/"), recipe, target)
    if path.is_dir():
        return Files(path, ".", recipe, target)
    if path.is_file():
        return Files(path.parent, path.name, recipe, target, exact=True)
    literal = path.parent
    while not literal.is_dir() and literal != literal.parent:
        literal = literal.parent
    return Files(literal, path.relative_to(literal).as_posix(), recipe, target)


def _remote(scheme: str, parts: list[str], recipe: Recipe, target: str | None) -> Files:
    first = next((place for place, part in enumerate(parts) if _GLOB.search(part)), len(parts) - 1)
    root = max(first, 1)  # a bucket at least
    return Files(scheme + "/".join(parts[:root]), "/".join(parts[root:]) or ".", recipe, target)
