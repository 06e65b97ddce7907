"""Blocks of records: the elements of the corpus pipeline.

Beam's cost an element is what makes Python pipelines slow, so an element is a run of consecutive records of one file
with everything that has to be accounted for.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

from lstmlm.records.record import Record


@dataclasses.dataclass(frozen=True, slots=True)
class Excluded:
    """A record that was dropped, and why.

    Attributes:
        record: The record as it was when it was dropped.
        reason: Name of the rule, for example `gopher_short_document`.
        detail: What of this record or of others the rule met, for example `valid.txt:12`; may be empty.
    """

    record: Record
    reason: str
    detail: str = ""


@dataclasses.dataclass(slots=True)
class Block:
    """Consecutive records of one file, and what became of the others.

    At every moment `lines == len(records) + sum(dropped.values()) + len(dead)`.

    Attributes:
        file: `CorpusFile.index`.
        index: Position of the block in its file; (file, index) gives the corpus order.
        lines: Rows read: lines of text, or rows of a table.
        records: The records that are left, in corpus order.
        dropped: Reason -> rows that were left out though nothing is wrong with them.
        dead: Rows that could not be used: `file`, `line`, `reason`.
        excluded: The records behind `dropped`, as far as a row became one.
        tallies: Name of a histogram (`language`, `privacy`, ...) -> key -> count, for the corpus report.
        origin: First line of the file range that it was read from: blocks of one range are consecutive.
    """

    file: int
    index: int
    lines: int
    records: list[Record]
    dropped: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    dead: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    excluded: list[Excluded] = dataclasses.field(default_factory=list)
    tallies: dict[str, collections.Counter[str]] = dataclasses.field(default_factory=dict)
    origin: int = 0

    def with_records(self, records: list[Record]) -> Block:
        """Returns the block with each record replaced by the one at its place: none comes, none goes."""
        if len(records) != len(self.records):
            raise ValueError(f"{len(self.records)} records became {len(records)}: drop them by `without`")
        return dataclasses.replace(self, records=records)

    def without(self, reasons: Sequence[str | None], details: Sequence[str | None] | None = None) -> Block:
        """Returns the block without the records that have a reason.

        Args:
            reasons: For each record the name of the rule that drops it, or None to keep it.
            details: For each record `Excluded.detail`, where there is one.
        """
        if not any(reasons):
            return self
        kept = [record for record, reason in zip(self.records, reasons, strict=True) if not reason]
        rows = zip(self.records, reasons, details or [None] * len(reasons), strict=True)
        gone = [Excluded(record, reason, detail or "") for record, reason, detail in rows if reason]
        dropped = self.dropped + collections.Counter(excluded.reason for excluded in gone)
        return dataclasses.replace(self, records=kept, dropped=dropped, excluded=self.excluded + gone)

    def tallied(self, name: str, counts: collections.Counter[str]) -> Block:
        """Returns the block with counts added to one of its histograms."""
        if not counts:
            return self
        before = self.tallies.get(name, collections.Counter())
        return dataclasses.replace(self, tallies=self.tallies | {name: before + counts})
