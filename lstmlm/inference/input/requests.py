"""The requests of the batch job, one for each input row."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from lstmlm.records.record import stable_hash

RecordId = str | int | float
"""An id as the input has it: text, or a number."""


def id_text(record_id: RecordId) -> str:
    """Returns an id as text; ids with the same text count as one: 1, 1.0 and "1"."""
    if isinstance(record_id, float) and record_id.is_integer():
        return str(int(record_id))
    return str(record_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """Something to predict from.

    Attributes:
        index: Place in the input, counted from 0.
        id: The record's id, as the input has it.
        fields: What the model reads, by name: of text, `source`; where an output is scored, also `target`.
        seed: Decides the draws where decoding samples.
        file: Name of the input file or split.
        line: Line or row of the file, counted from 1; None in a split.
        extra: The other columns of the row, by name; they are copied to the output.
    """

    index: int
    id: RecordId
    fields: dict[str, Any]
    seed: int
    file: str
    line: int | None = None
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Dead:
    """An input that gets no output, and why. The attributes are those of `Request`; an unknown id is None."""

    index: int
    reason: str
    file: str
    line: int | None = None
    id: RecordId | None = None

    @property
    def place(self) -> str:
        """Returns the position of the input: file and line."""
        return f"{self.file}:{self.line or self.id}"

    def letter(self) -> dict[str, Any]:
        """Returns the line of `dead_letters.jsonl`, without what is not known."""
        fields = {"file": self.file, "line": self.line, "id": self.id, "reason": self.reason}
        return {name: value for name, value in fields.items() if value is not None}


def seed_of(recipe_seed: int, index: int, request: Mapping[str, Any]) -> int:
    """Returns the seed of a request without an id: its place and its text decide the draws."""
    text = str(request["source"]) if "source" in request else repr(sorted(request.items()))
    return stable_hash(recipe_seed, index, text)


class Source(Protocol):
    """Something to decode; reads anew each time."""

    @property
    def where(self) -> str:
        """Names the source in messages."""

    def stamp(self) -> str:
        """Returns a fingerprint of the inputs and of how they are read."""

    def items(self) -> Iterator[Request | Dead]:
        """Yields the inputs in order, one at a time."""
