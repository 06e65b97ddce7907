"""The recipe that a call is given: a file, a mapping of fields, or a `Recipe`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.checks.recipe import checked, checked_recipe
from lstmlm.recipe.file import draft_recipe
from lstmlm.recipe.recipe import Recipe

RecipeLike = str | os.PathLike[str] | Mapping[str, Any] | Recipe


def recipe_of(recipe: RecipeLike, changes: Sequence[str] = (), needs: Sequence[str] = ()) -> Recipe:
    """Returns a recipe, checked.

    Args:
        recipe: The path of a YAML file, the same fields as a mapping, or a recipe.
        changes: `section.field=value` strings, as `--set` takes them.
        needs: What the caller works with: see `lstmlm.checks.needs`.

    Raises:
        UserError: Something is wrong; a line for each fault.
    """
    if isinstance(recipe, Recipe):
        recipe = recipe.model_dump(mode="json", exclude_defaults=True)
    if isinstance(recipe, Mapping):
        # JSON is YAML: what a mapping says is read as a file would be.
        return checked(draft_recipe(json.dumps(dict(recipe), default=str), "recipe", changes), needs)
    return checked_recipe(Path(recipe), changes, needs)
