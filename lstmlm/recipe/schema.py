"""The JSON schema of a recipe, by which editors complete and check one as it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.task_options import FIELD, options_type


def recipe_schema(tasks: Iterable[str]) -> dict[str, Any]:
    """Returns the JSON schema (2020-12) of a recipe.

    What depends on several fields or on files, only `lstmlm recipe check` sees; and only there may a variable of the
    environment (`${NAME}`) be a number.

    Args:
        tasks: The tasks whose options are described.
    """
    schema = Recipe.model_json_schema(mode="validation")
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    choices = []
    for task in tasks:
        options = options_type(task)
        described: dict[str, Any] = {"type": "null"}
        if options is not None:
            found = options.model_json_schema(ref_template="#/$defs/{model}", mode="validation")
            definitions |= found.pop("$defs", {})
            described = {"anyOf": [found, {"type": "null"}]}
        choices.append({"if": {"properties": {"task": {"const": task}}}, "then": {"properties": {FIELD: described}}})
    schema["properties"][FIELD] = {"description": "Options of the task."}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A recipe of lstmlm"}
    return {**_without_titles(schema), **head, "allOf": choices}


def _without_titles(schema: Any) -> Any:
    """Returns a schema without the names of classes, which editors would show in the place of descriptions."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: _without_titles(value) for name, value in schema.items() if name != "title" or isinstance(value, Mapping)
    }
