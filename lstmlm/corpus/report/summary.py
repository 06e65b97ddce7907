"""Statistics of a block, computed when its records are written, and their sums over all blocks."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lstmlm.corpus.passes.block import Block
from lstmlm.records.record import Record

REPEATED_LINES = 20
"""Repeated lines a block reports at most."""

_LONGEST_LINE = 200


@dataclasses.dataclass(slots=True)
class Account:
    """What became of the rows of a block, or of all blocks together: it does not grow with them.

    Attributes:
        lines: Rows read.
        kept: Split -> records written.
        size: Split -> bytes written.
        dropped: Reason -> rows left out.
        dead: Reason without details -> rows that could not be used.
        first_dead: `CorpusFile.index` and `Block.index` of the first dead letter in corpus order, and the letter.
        lost: Split -> reason -> rows of it behind `dropped`. Where records are split by hash, rows that never became
            a record are of no split.
        tallies: See `Block.tallies`, and `lengths`: bit length of the source's characters -> records.
        marks: Length of the longest mark of a further use in an id; see `lstmlm.corpus.passes.ids`.
        large: Records with more bytes than a shard should have.
    """

    lines: int = 0
    kept: dict[str, int] = dataclasses.field(default_factory=dict)
    size: dict[str, int] = dataclasses.field(default_factory=dict)
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    dead: dict[str, int] = dataclasses.field(default_factory=dict)
    first_dead: tuple[int, int, dict[str, Any]] | None = None
    lost: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    tallies: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    marks: int = 0
    large: int = 0

    def add(self, other: Account) -> None:
        """Adds another account to this one; the order of additions does not matter."""
        self.lines += other.lines
        self.marks = max(self.marks, other.marks)
        self.large += other.large
        for mine, others in (
            (self.kept, other.kept), (self.size, other.size), (self.dropped, other.dropped), (self.dead, other.dead),
        ):  # fmt: skip
            _add(mine, others)
        for mine_by_name, others_by_name in ((self.lost, other.lost), (self.tallies, other.tallies)):
            for name, counts in others_by_name.items():
                _add(mine_by_name.setdefault(name, {}), counts)
        letters = [letter for letter in (self.first_dead, other.first_dead) if letter is not None]
        self.first_dead = min(letters, key=lambda letter: tuple(letter[:2]), default=None)


def _add(counts: dict[str, int], others: Mapping[str, int]) -> None:
    for key, count in others.items():
        counts[key] = counts.get(key, 0) + count


def summarise(
    block: Block,
    kept: dict[str, int],
    size: dict[str, int],
    lost: dict[str, dict[str, int]] | None = None,
    *,
    marks: int = 0,
    large: int = 0,
) -> Account:
    """Returns the account of a block whose records were written.

    Args:
        block: The block after all steps.
        kept: Split -> records written.
        size: Split -> bytes written.
        lost: See `Account.lost`.
        marks: See `Account.marks`.
        large: See `Account.large`.
    """
    tallies = {name: dict(counts) for name, counts in block.tallies.items()}
    return Account(
        block.lines,
        kept,
        size,
        dict(block.dropped),
        dict(collections.Counter(reason_kind(letter["reason"]) for letter in block.dead)),
        (block.file, block.index, block.dead[0]) if block.dead else None,
        lost or {},
        tallies | {"lengths": _lengths(block.records)},
        marks,
        large,
    )


def reason_kind(reason: str) -> str:
    """Returns a reason without the details after a colon or in brackets, so that equal causes count together."""
    return re.split(r": | \(", reason, maxsplit=1)[0]


def _lengths(records: Iterable[Record]) -> dict[str, int]:
    counts = collections.Counter(len(record.source).bit_length() for record in records)
    return {str(bits): count for bits, count in sorted(counts.items())}


def repeated_lines(records: Iterable[Record]) -> dict[str, int]:
    """Returns the lines that occur more than once in the records of a block, the most frequent, and how often."""
    lines: collections.Counter[str] = collections.Counter()
    for record in records:
        lines.update(record.source.splitlines())
    often = [(line, count) for line, count in lines.items() if count > 1 and line.strip()]
    often.sort(key=lambda item: (-item[1], item[0]))
    return {line[:_LONGEST_LINE]: count for line, count in often[:REPEATED_LINES]}


def totals(account: Account) -> dict[str, Any]:
    """Returns the `counts` of the manifest: `in`, `kept`, `dropped`, `dead`, `dead_by_reason`."""
    return {
        "in": account.lines,
        "kept": sum(account.kept.values()),
        "dropped": dict(sorted(account.dropped.items())),
        "dead": sum(account.dead.values()),
        "dead_by_reason": dict(sorted(account.dead.items())),
    }
