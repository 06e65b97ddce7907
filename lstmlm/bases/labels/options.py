"""The options of the task that gives labels."""

from __future__ import annotations

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.labels import LabelOptions


def options_of(recipe: Recipe) -> LabelOptions:
    """Returns the `task_options` of a recipe of the task `classify`."""
    options = recipe.task_options
    assert isinstance(options, LabelOptions)
    return options
