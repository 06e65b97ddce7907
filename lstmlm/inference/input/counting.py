"""Reads an input once before decoding: counts its records and checks that ids are unique."""

from __future__ import annotations

import array
import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from lstmlm.errors import UserError
from lstmlm.inference.input.requests import Dead, Source, id_text


@dataclasses.dataclass(frozen=True, slots=True)
class Counted:
    """What an input holds.

    Attributes:
        total: Inputs, dead letters among them.
        dead: How many of them are dead letters already.
        first_dead: The first of these.
        fields: Every field that a request has.
    """

    total: int
    dead: int = 0
    first_dead: Dead | None = None
    fields: frozenset[str] = frozenset()

    def check(self, allowed: float, where: str) -> None:
        """Compares the share of dead letters with the largest that is allowed.

        Raises:
            UserError: It is larger.
        """
        if self.first_dead is None or self.dead <= allowed * self.total:
            return
        first = self.first_dead
        what = f"{self.dead} of {self.total} records failed, the first at {first.place}: {first.reason}"
        share = self.dead / self.total
        hint = "Correct the input"
        if self.dead < self.total:  # the largest fraction is 1, and then there is no output at all
            hint += f", or set inference.max_dead_fraction to {_rounded_up(share)}"
        raise UserError(what, where=where, hint=hint)

    def check_columns(self, columns: Mapping[str, str], where: str) -> None:
        """Looks for columns that a record may lack, but not all of them.

        Args:
            columns: Field of a request -> column that it is made of.
            where: The input.

        Raises:
            UserError: No record has one of them: its name is likely wrong.
        """
        for field, column in columns.items():
            if field not in self.fields and self.dead < self.total:
                what = f"no record has a field {column!r}, which inference.{field} names"
                raise UserError(what, where=where, hint="Name a field of the input, or leave it out of the recipe")


def _rounded_up(share: float) -> float:
    """Returns a share with three decimals that is not below the given one."""
    return math.ceil(1000 * share) / 1000


def count(source: Source) -> Counted:
    """Reads the source once.

    Of the ids only 64 bits each are kept, so that a hundred million of them fit into memory; where two of these are
    equal, the source is read again for the ids themselves.

    Raises:
        UserError: The source has no inputs, or two with the same id.
    """
    total = dead = 0
    first_dead: Dead | None = None
    hashes, fields = array.array("q"), set[str]()
    for item in source.items():
        total += 1
        if isinstance(item, Dead):
            dead += 1
            first_dead = first_dead or item
        else:
            hashes.append(hash(id_text(item.id)))
            fields.update(item.fields)
    if not total:
        raise UserError("no records to decode", where=source.where, hint="Name an input with text in it")
    ordered = np.sort(np.frombuffer(hashes, np.int64)) if hashes else np.zeros(0, np.int64)
    repeated = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if repeated:
        _refuse_repeated(source, repeated)
    return Counted(total, dead, first_dead, frozenset(fields))


def _refuse_repeated(source: Source, hashes: set[int]) -> None:
    """Looks for a duplicate id among those with the given hashes."""
    seen = set[str]()
    for item in source.items():
        if isinstance(item, Dead) or hash(name := id_text(item.id)) not in hashes:
            continue
        if name in seen:
            where = source.where if item.line is None else f"{item.file}:{item.line}"
            hint = "Give every record its own id, or set inference.id to a key that does"
            raise UserError(f"duplicate id {item.id!r}", where=where, hint=hint)
        seen.add(name)
