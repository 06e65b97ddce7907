"""Statistics of a block, computed when its records are written, and their sums over all blocks."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any

from lstmlm.corpus.passes.block import Block
from lstmlm.records.record import Record

REPEATED_LINES = 20
"""Repeated lines a block reports at most."""

_LONGEST_LINE = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """The account of one block; small, so that the summaries of a corpus fit into memory.

    Attributes:
        file: `CorpusFile.index`.
        index: `Block.index`.
        lines: Rows read.
        kept: Split -> records written.
        size: Split -> bytes written.
        dropped: Reason -> rows left out.
        dead: Reason without details -> rows that could not be used.
        first_dead: The first dead letter, if there is one.
        excluded: Records behind `dropped`.
        lost: Split -> reason -> rows of it behind `dropped`. Where records are split by hash, rows that never became
            a record are of no split.
        tallies: See `Block.tallies`, and `lengths`: bit length of the source's characters -> records.
        repeated: Line -> times it occurs in the block, where that is more than once.
    """

    file: int
    index: int
    lines: int
    kept: dict[str, int]
    size: dict[str, int]
    dropped: dict[str, int]
    dead: dict[str, int]
    first_dead: dict[str, Any] | None
    excluded: int
    lost: dict[str, dict[str, int]]
    tallies: dict[str, dict[str, int]]
    repeated: dict[str, int]

    def row(self) -> list[Any]:
        """Returns the summary as JSON that sorts by the order of the corpus."""
        return [self.file, self.index, dataclasses.asdict(self)]

    @staticmethod
    def from_row(row: Sequence[Any]) -> Summary:
        """Reads what `row` gave."""
        return Summary(**row[2])


def summarise(
    block: Block, kept: dict[str, int], size: dict[str, int], lost: dict[str, dict[str, int]] | None = None
) -> Summary:
    """Returns the account of a block whose records were written.

    Args:
        block: The block after all steps.
        kept: Split -> records written.
        size: Split -> bytes written.
        lost: See `Summary.lost`.
    """
    tallies = {name: dict(counts) for name, counts in block.tallies.items()}
    return Summary(
        block.file,
        block.index,
        block.lines,
        kept,
        size,
        dict(block.dropped),
        dict(collections.Counter(reason_kind(letter["reason"]) for letter in block.dead)),
        block.dead[0] if block.dead else None,
        len(block.excluded),
        lost or {},
        tallies | {"lengths": _lengths(block.records)},
        _repeated_lines(block.records),
    )


def reason_kind(reason: str) -> str:
    """Returns a reason without the details after a colon or in brackets, so that equal causes count together."""
    return re.split(r": | \(", reason, maxsplit=1)[0]


def _lengths(records: Iterable[Record]) -> dict[str, int]:
    counts = collections.Counter(len(record.source).bit_length() for record in records)
    return {str(bits): count for bits, count in sorted(counts.items())}


def _repeated_lines(records: Iterable[Record]) -> dict[str, int]:
    lines: collections.Counter[str] = collections.Counter()
    for record in records:
        lines.update(record.source.splitlines())
    often = [(line, count) for line, count in lines.items() if count > 1 and line.strip()]
    often.sort(key=lambda item: (-item[1], item[0]))
    return {line[:_LONGEST_LINE]: count for line, count in often[:REPEATED_LINES]}


def totals(summaries: Iterable[Summary]) -> dict[str, Any]:
    """Adds up the accounts to the `counts` of the manifest: `in`, `kept`, `dropped`, `dead`, `dead_by_reason`."""
    dropped: collections.Counter[str] = collections.Counter()
    dead: collections.Counter[str] = collections.Counter()
    lines = kept = 0
    for summary in summaries:
        lines += summary.lines
        kept += sum(summary.kept.values())
        dropped.update(summary.dropped)
        dead.update(summary.dead)
    return {
        "in": lines,
        "kept": kept,
        "dropped": dict(sorted(dropped.items())),
        "dead": dead.total(),
        "dead_by_reason": dict(sorted(dead.items())),
    }
