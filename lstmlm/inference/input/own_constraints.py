"""The constraints that a record brings for its own output: how it begins, and what it must and must not contain."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lstmlm.recipe.sections.inference import InferenceSection
from lstmlm.task import BadRecord
from lstmlm.task.columns import is_blank


@dataclasses.dataclass(frozen=True, slots=True)
class OwnConstraints:
    """What one record asks of its output, in addition to what the recipe's `decoding` section asks of all.

    Attributes:
        prefix: How it begins; empty: in any way.
        forced: Words and phrases that it contains.
        forbidden: Words and phrases that it does not contain.
    """

    prefix: str = ""
    forced: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Says whether anything is asked for."""
        return bool(self.prefix or self.forced or self.forbidden)

    @classmethod
    def of_request(cls, request: Mapping[str, Any]) -> OwnConstraints:
        """Returns those of a request, which `constraint_fields` made."""
        return cls(
            request.get("prefix", ""), tuple(request.get("forced", ())), tuple(request.get("forbidden", ()))
        )  # fmt: skip


def constraint_fields(row: Mapping[str, Any], asked: InferenceSection) -> dict[str, Any]:
    """Returns the fields that a row adds to its request: `prefix`, and the lists `forced` and `forbidden`.

    Args:
        row: Column or key -> value. One without a column adds no field for it, one with an empty value an empty field.
        asked: Names the columns.

    Raises:
        BadRecord: A value is neither text nor, of phrases, a list of texts.
    """
    found: dict[str, Any] = {}
    for name, column in asked.constraint_columns.items():
        if column in row:
            value = None if is_blank(row[column]) else row[column]
            found[name] = _text(value, column) if name == "prefix" else _phrases(value, column, asked.separator)
    return found


def _text(value: Any, column: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRecord(f"field {column!r} is not text")
    return value


def _phrases(value: Any, column: str, separator: str | None) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        parts = value.split(separator) if separator else [value]
        return [part.strip() for part in parts if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise BadRecord(f"field {column!r} is neither text nor a list of texts")
    if not all(part.strip() for part in value):
        raise BadRecord(f"field {column!r} has an empty phrase in it")
    return list(value)
