"""Turns rows into records, dropped rows and dead letters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.reading.rows import BLANK, Row
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.steps.privacy.published import holds_personal_data
from lstmlm.corpus.steps.privacy.scrubber import Scrubber
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record
from lstmlm.task import BadRecord, BlankRecord, Task


def needed_columns(recipe: Recipe, task: Task) -> list[str]:
    """Returns the columns that a record is made of."""
    corpus, columns = recipe.corpus, list(task.columns(recipe))
    columns += [column for column in (corpus.id, corpus.split_key) if column is not None]
    return list(dict.fromkeys(columns))


def make_block(
    rows: Sequence[Row], file: CorpusFile, task: Task, recipe: Recipe, scrubber: Scrubber | None = None
) -> Block:
    """Turns consecutive rows into records, dropped rows and dead letters; the block is named by its first line.

    With a scrubber, a record whose id holds personal data gets `file:line` instead; its split stays.
    """
    block = Block(file.index, rows[0].line, len(rows), [])
    has_columns = READERS.load(file.reader).has_columns
    lines: list[int] = []
    for row in rows:
        if row.dropped:
            block.dropped[row.dropped] += 1
            continue
        try:
            block.records.append(_record(row, file, task, recipe, has_columns=has_columns))
            lines.append(row.line)
        except BlankRecord:
            block.dropped[BLANK] += 1
        except BadRecord as problem:
            block.dead.append({"file": file.name, "line": row.line, "reason": str(problem)})
    # Hardly any id has personal data, so all are looked at together first.
    if scrubber is not None and scrubber.finder.may_find("\n".join(record.id for record in block.records)):
        named = zip(block.records, lines, strict=True)
        block.records = [_with_public_id(record, f"{file.name}:{line}", scrubber) for record, line in named]
    return block


def _with_public_id(record: Record, other: str, scrubber: Scrubber) -> Record:
    if not holds_personal_data(record.id, scrubber):
        return record
    return dataclasses.replace(record, id=other, group=record.group or record.id)


def _record(row: Row, file: CorpusFile, task: Task, recipe: Recipe, *, has_columns: bool) -> Record:
    corpus = recipe.corpus
    if row.fields is None:
        raise BadRecord(row.dead)
    record_id = f"{file.name}:{row.line}"
    if corpus.id is not None and has_columns:
        record_id = _named(row.fields, corpus.id, "id")
    record = task.record(row.fields, record_id, recipe)
    if corpus.split_key is None or not has_columns:
        return record
    return dataclasses.replace(record, group=_named(row.fields, corpus.split_key, "split key"))


def _named(fields: Mapping[str, Any], column: str, what: str) -> str:
    value = fields.get(column)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadRecord(f"no {what} in column {column!r}")
    return str(value)
