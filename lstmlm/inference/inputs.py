"""What the batch job decodes: the lines of a JSONL file, or the sources of the valid split."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from lstmlm.corpus.files import CorpusFile, compression_of
from lstmlm.corpus.readers import read_file
from lstmlm.corpus.shards import records_in
from lstmlm.errors import UserError
from lstmlm.publish import fingerprint, read_manifest, sha256_file
from lstmlm.recipe import Recipe
from lstmlm.records import stable_hash


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A text to decode.

    Attributes:
        index: Place in the input, counted from 0.
        id: The record's id.
        text: The text.
        seed: Decides the draws where decoding samples.
        file: Name of the input file or split.
        line: Line of the file, counted from 1; None in a split.
        target: The output text, where it is asked for.
    """

    index: int
    id: str
    text: str
    seed: int
    file: str
    line: int | None = None
    target: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Dead:
    """An input that gets no output, and why. The attributes are those of `Request`; an unknown id is None."""

    index: int
    reason: str
    file: str
    line: int | None = None
    id: str | None = None

    def letter(self) -> dict[str, Any]:
        """Returns the line of `dead_letters.jsonl`, without what is not known."""
        fields = {"file": self.file, "line": self.line, "id": self.id, "reason": self.reason}
        return {name: value for name, value in fields.items() if value is not None}


class Source(Protocol):
    """Something to decode. Small, so that it can be sent to workers; reads anew each time."""

    @property
    def where(self) -> str:
        """Names the source in messages."""

    def stamp(self) -> str:
        """Returns a fingerprint of the inputs and of how they are read."""

    def items(self) -> Iterator[Request | Dead]:
        """Yields the inputs in order, one at a time."""


@dataclasses.dataclass(frozen=True)
class JsonLines:
    """The lines of a JSONL file, plain or compressed; blank ones are no inputs.

    Attributes:
        path: The file.
        recipe: Gives the keys, the seed and the longest line.
        target: Key of the output text; None: it is not asked for.
    """

    path: Path
    recipe: Recipe
    target: str | None = None

    @property
    def where(self) -> str:
        """See `Source`."""
        return str(self.path)

    def stamp(self) -> str:
        """See `Source`."""
        if not self.path.is_file():
            cure = "Check the path, or inference.input and corpus.root in the recipe"
            raise UserError("no such input file", where=self.where, cure=cure)
        keys = [self.recipe.inference.field, self.recipe.inference.id, self.recipe.corpus.max_line_bytes, self.target]
        return fingerprint("jsonl", self.path.name, sha256_file(self.path), keys)

    def items(self) -> Iterator[Request | Dead]:
        """See `Source`."""
        name, size = self.path.name, self.path.stat().st_size
        file = CorpusFile(0, name, str(self.path), ".jsonl", compression_of(name), None, size)
        keys = [] if self.recipe.inference.id is None else [self.recipe.inference.id]
        rows = read_file(file, self.recipe.corpus, keys)
        for index, row in enumerate(row for row in rows if not row.dropped):
            if row.fields is None:
                yield Dead(index, row.dead, self.path.name, row.line)
            else:
                yield self._item(index, row.line, row.fields)

    def _item(self, index: int, line: int, fields: Mapping[str, Any]) -> Request | Dead:
        file, keys = self.path.name, self.recipe.inference
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
        return Request(
            index, record_id, fields[keys.field], stable_hash(self.recipe.seed, record_id), file, line, target
        )


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
    if input is None and recipe.inference.input is not None:
        input = Path(recipe.corpus.place(recipe.inference.input))
    if input is not None:
        return JsonLines(input, recipe)
    if records is not None:
        return ValidSplit(records, recipe)
    raise UserError("nothing to decode", where="inference.input", cure="Name a JSONL file or a records folder")


def count(source: Source) -> int:
    """Reads the source once and returns the number of its inputs.

    Raises:
        UserError: It has none, or two with the same id.
    """
    total, seen = 0, set[str]()
    for item in source.items():
        total += 1
        if isinstance(item, Dead):
            continue
        if item.id in seen:
            line = "" if item.line is None else f":{item.line}"
            cure = "Give every record its own id, or set inference.id to a key that does"
            raise UserError(f"the id {item.id!r} is there twice", where=f"{source.where}{line}", cure=cure)
        seen.add(item.id)
    if not total:
        raise UserError("no records to decode", where=source.where, cure="Name an input with text in it")
    return total
