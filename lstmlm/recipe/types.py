"""Looks up the type of a recipe field by its path of keys, and describes it in words."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from lstmlm.recipe.faults import Key
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.section import Extension
from lstmlm.recipe.task_options import FIELD, described_type


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """What a path of keys names.

    Attributes:
        key: The path, without what is no key of the recipe (the parts of a union).
        kind: The type there; None where there is no such field.
        bounds: What restricts the type.
    """

    key: Key
    kind: Any
    bounds: tuple[Any, ...] = ()


def named(loc: Sequence[str | int]) -> Named:
    """Returns what a location in a recipe names; pydantic's locations have the members of unions as parts."""
    found = Named((), Recipe)
    for part in loc:
        inner = _inside(found, part)
        if inner is not None:
            found = inner
    return found


def _inside(outer: Named, part: str | int) -> Named | None:
    """Returns what a part of a location names; None where it names no place, but a member of a union."""
    key = (*outer.key, part)
    if outer.kind is None:
        return Named(key, None)
    if key == (FIELD,) and described_type() is not None:
        return Named(key, described_type())
    for kind in members(outer.kind):
        section = section_of(kind)
        if section is not None:
            field = section.model_fields.get(str(part))
            return Named(key, None) if field is None else Named(key, field.annotation, tuple(field.metadata))
        if get_origin(kind) is dict:
            return None if part == "[key]" else Named(key, get_args(kind)[1])
        if get_origin(kind) in (tuple, list) and isinstance(part, int):
            inner = get_args(kind)
            return Named(key, inner[min(part, len(inner) - 1)] if Ellipsis not in inner else inner[0])
    return None


def members(kind: Any) -> tuple[Any, ...]:
    """Returns the members of a union, without None and annotations; of another type itself."""
    if get_origin(kind) is Annotated:
        return members(get_args(kind)[0])
    if get_origin(kind) in (types.UnionType, typing.Union):
        return tuple(one for member in get_args(kind) if member is not type(None) for one in members(member))
    return (kind,)


def section_of(kind: Any) -> type[BaseModel] | None:
    """Returns a type as a section of the recipe; None where it is none."""
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def takes(kind: Any, *wanted: type) -> bool:
    """Says whether a type has one of some plain types as a member."""
    return any(member in wanted for member in members(kind))


def expected(kind: Any, bounds: Sequence[Any] = ()) -> str:
    """Returns what a field takes, in words: `a whole number > 0`."""
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        if added := [part for part in metadata if isinstance(part, Extension)]:
            return " or ".join(f"`{name}`" for name in (*added[0].names(), "package.module:Object"))
        return expected(inner, [*bounds, *(one for part in metadata for one in _unpacked(part))])
    if get_origin(kind) in (types.UnionType, typing.Union):
        words = [expected(member, bounds) for member in get_args(kind) if member is not type(None)]
        return " or ".join(dict.fromkeys(words))
    return " ".join([_word(kind), *restrictions(bounds)])


def _word(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (tuple, list):
        several = Ellipsis in inner or len(inner) == 1
        return f"a list ({expected(inner[0])})" if several else f"a list of {len(inner)}"
    if origin is dict or section_of(kind):
        return "a section with fields"
    known = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    return known.get(kind, "another value")


def _unpacked(part: Any) -> Iterator[Any]:
    """Yields the bounds that an annotation holds; `Field(...)` holds several."""
    yield from getattr(part, "metadata", None) or [part]


def restrictions(bounds: Sequence[Any]) -> Iterator[str]:
    """Yields bounds in words: `> 0`."""
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    for bound in bounds:
        for name, sign in signs.items():
            value = getattr(bound, name, None)
            if value is not None:
                yield f"{sign} {value}"
        if getattr(bound, "pattern", None):
            yield f"matching `{bound.pattern}`"
