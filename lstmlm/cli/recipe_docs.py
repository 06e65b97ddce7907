"""Generates the documentation of the recipe from its types, so that the two cannot differ."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lstmlm import plugins
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.section import Extension
from lstmlm.recipe.task_options import PACKAGE, options_type
from lstmlm.recipe.types import restrictions

HEAD = """# The recipe

Written by `lstmlm recipe docs`. A recipe is one YAML file; an unknown field is an error that names the nearest known
one. `--set section.field=value` overrides a field, and `${NAME}` in a value is replaced by an environment variable.
"""


def recipe_markdown() -> str:
    """Returns every section and field: type, bounds, default, meaning."""
    parts = [*_section("", Recipe)]
    for task in plugins.builtin_names(PACKAGE):  # the documentation does not depend on what is installed
        if (options := options_type(task)) is not None:
            parts += _section(f"task_options of {task}", options)
    return HEAD + "".join(f"\n{part}\n" for part in parts)


def _section(name: str, section: type[BaseModel]) -> Iterator[str]:
    yield f"## {name or 'Top level'}\n\n{inspect.cleandoc(section.__doc__ or '')}"
    inner: list[tuple[str, type[BaseModel]]] = []
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
    for key, field in section.model_fields.items():
        kind = _model_in(field.annotation)
        if kind is None:
            rows.append(f"| `{key}` | {_type(field)} | {_default(field)} | {field.description or ''} |")
        elif get_origin(field.annotation) is dict:
            rows.append(f"| `{key}` | name → {kind.__name__} | {_default(field)} | {field.description or ''} |")
            inner.append((f"{name}.{key}.NAME".lstrip("."), kind))
        else:
            inner.append((f"{name}.{key}".lstrip("."), kind))
    yield "\n".join(rows)
    for key, kind in inner:
        yield from _section(key, kind)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    kinds = [annotation, *get_args(annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _type(field: FieldInfo) -> str:
    return " ".join([_name(field.annotation), *restrictions(field.metadata)])


def _name(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_name(kind) for kind in inner if kind is not type(None))
    if origin is tuple:
        return f"list of {_name(inner[0])}"
    if origin is typing.Annotated:
        added = [part for part in inner[1:] if isinstance(part, Extension)]
        if added:  # the built-in ones: the documentation does not depend on what is installed
            names = (*added[0].builtin(), "package.module:Object")
            return " or ".join(f"`{name}`" for name in names)
        return _name(inner[0])
    known = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return known.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"
