"""The settings and data that determine the weights of a run, and the differences between two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES


def deciding(recipe: Recipe) -> dict[str, Any]:
    """Returns the part of a recipe that decides the weights, as JSON."""
    return STAGES["train"].decided(recipe)


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yields a line such as `model.units was 512 and is 256` for each field that differs."""
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key} was {old} and is {new}"
