"""Compares the recipe's network with the one that the weights were trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstmlm.errors import UserError
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.model import REGULARISATION, ModelSection


def check_same_network(recipe: Recipe, folder: Path) -> None:
    """Checks that a recipe describes the network of a model or export folder.

    Args:
        recipe: The run.
        folder: Its `model.json` says what the weights were trained as; where it does not, nothing is compared.

    Raises:
        UserError: It describes another one; each field that differs is named with both values.
    """
    path = folder / "model.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        trained = content.get("recipe") or content.get("engine") or {}
        section = None if trained.get("model") is None else ModelSection.model_validate(trained["model"])
    except (OSError, ValueError, AttributeError, ValidationError):
        return  # reading the folder reports what is wrong with it
    differing = [*_differing(recipe, trained.get("task"), section), *_options(recipe, trained)]
    if differing:
        what = f"the model was trained with {', '.join(f'{name}={old}' for name, old, _ in differing)}, "
        what += f"and the recipe has {', '.join(f'{name}={new}' for name, _, new in differing)}"
        hint = "Use the recipe that it was trained with: only `decoding`, `evaluation` and `inference` may differ"
        raise UserError(what, where=str(path), hint=hint)


def trained_network(folder: Path) -> tuple[str | None, ModelSection]:
    """Returns the task and the network that an export says it was trained for.

    Raises:
        UserError: It does not say it.
    """
    stored = read_object(folder / "model.json", "recipe")["recipe"]
    return stored.get("task"), ModelSection.model_validate(stored["model"])


def _differing(recipe: Recipe, task: str | None, section: ModelSection | None) -> list[tuple[str, Any, Any]]:
    """Returns name, trained and recipe's value of each field that differs."""
    found = [("task", task, recipe.task)] if task not in (None, recipe.task) else []
    if section is None:
        return found
    old, new = _fields(section), _fields(recipe.model)
    return [*found, *((f"model.{name}", old[name], new[name]) for name in old if old[name] != new[name])]


def _options(recipe: Recipe, trained: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Returns name, trained and recipe's value of each option of the task that differs."""
    # The facts of an engine have no options: `recipe` is what knows them.
    if recipe.task_options is None or ("task_options" not in trained and "corpus" not in trained):
        return []
    new = recipe.task_options.model_dump(mode="json")
    defaults = {name: field.default for name, field in type(recipe.task_options).model_fields.items()}
    old = {**defaults, **trained.get("task_options", {})}  # what was at its default is not written
    elsewhere = getattr(recipe.task_options, "belongs_to", {})  # those of training and decoding may differ
    names = sorted((old.keys() | new.keys()) - elsewhere.keys())
    return [(f"task_options.{name}", old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _fields(section: ModelSection) -> Mapping[str, Any]:
    return section.model_dump(mode="json", exclude=set(REGULARISATION))
