"""Reads a recipe from YAML, and says what is wrong with it by file, line and field."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from lstmlm.errors import UserError
from lstmlm.recipe import Recipe
from lstmlm.yaml_bounds import MOST_CHARACTERS, check_bounds

Key = tuple[str | int, ...]


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Reads, overrides and validates a recipe.

    Args:
        path: The YAML file.
        overrides: `section.field=value` strings; the value is read as YAML.

    Raises:
        UserError: The file is missing, not YAML, or a field is unknown or wrong. All faults are named, one a line.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(MOST_CHARACTERS + 1)  # the path may be a device without end
    except OSError as error:
        raise UserError(f"cannot read the recipe ({error.strerror})", where=str(path), cure="Check the path") from error
    except UnicodeDecodeError as error:
        raise UserError("the recipe is not UTF-8", where=str(path), cure="Save it as UTF-8") from error
    return parse_recipe(text, str(path), overrides)


def parse_recipe(text: str, name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Validates the text of a recipe; see `load_recipe`. `name` is what errors call the file."""
    try:
        check_bounds(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that is none
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or "unreadable"
        raise UserError(f"not valid YAML: {problem}", where=where, cure="Mend the syntax there") from error
    if not isinstance(content, dict):
        raise UserError("a recipe is a mapping of fields", where=name, cure="See `lstmlm recipe docs`")
    places = {key: f"{name}:{line}" for key, line in _lines(node)}
    for override in overrides:
        _apply(content, override, places)
    try:
        return Recipe.model_validate(_expand(content, (), places, name))
    except ValidationError as error:
        raise UserError("\n".join(_explain(error, places, name))) from error


def _lines(node: yaml.Node | None, prefix: Key = ()) -> Iterator[tuple[Key, int]]:
    """Yields (path of keys, line) for every value of the document."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*prefix, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*prefix, index), value.start_mark.line + 1
            yield from _lines(value, (*prefix, index))


def _apply(content: dict[str, Any], override: str, places: dict[Key, str]) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise UserError(f"--set {override}: not of the form section.field=value", cure="Example: training.steps=100")
    path = tuple(key.split("."))
    section = content
    for part in path[:-1]:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            raise UserError(f"--set {override}: `{part}` is not a section", cure="See `lstmlm recipe docs`")
    try:
        check_bounds(value)
        section[path[-1]] = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"--set {override}: the value is not valid YAML", cure="Quote it") from error
    for depth in range(1, len(path) + 1):
        places.setdefault(path[:depth], f"--set {key}")
    places[path] = f"--set {key}"


def _expand(value: Any, key: Key, places: dict[Key, str], name: str) -> Any:
    """Replaces `${NAME}` in every string by the environment variable."""
    if isinstance(value, dict):
        return {k: _expand(v, (*key, k), places, name) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, (*key, i), places, name) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            field = ".".join(map(str, key))
            cure = f"Set it, or use --set {field}=..."
            what = f"{field}: the environment variable {match[1]} is not set"
            raise UserError(what, where=places.get(key, name), cure=cure)
        return found

    return re.sub(r"\$\{(\w+)\}", variable, value)


def _explain(error: ValidationError, places: dict[Key, str], name: str) -> Iterator[str]:
    for fault in error.errors():
        key: Key = fault["loc"]
        near = next((places[key[:n]] for n in range(len(key), 0, -1) if key[:n] in places), name)
        field = ".".join(map(str, key))
        if fault["type"] == "extra_forbidden":
            yield f"{near}: {field}: no such field. {_suggest(key)}"
        elif fault["type"] == "missing":
            yield f"{near}: {field}: required, and not given. See `lstmlm recipe docs`"
        else:
            shown = "" if isinstance(fault["input"], dict) else f" (got {fault['input']!r})"
            yield f"{near}: {field}: {fault['msg']}{shown}. See `lstmlm recipe docs`"


def _suggest(key: Key) -> str:
    section = _section_at(key[:-1])
    known = list(section.model_fields) if section else []
    close = difflib.get_close_matches(str(key[-1]), known, n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(known)}"


def _section_at(key: Key) -> type[BaseModel] | None:
    section: type[BaseModel] = Recipe
    for part in key:
        field = section.model_fields.get(str(part))
        kinds = [field.annotation, *get_args(field.annotation)] if field else []
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if field is None and section.__name__ == "Recipe":
            return None
        if inner:
            section = inner[0]
    return section
