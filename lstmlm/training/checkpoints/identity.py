"""What decides the weights of a run, and how two runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lstmlm.recipe.recipe import Recipe

SPREAD = {
    "workers",
    "threads",
    "use_gpu",
    "accumulate",
    "collective_timeout",
    "max_failures",
    "keep",
    "keep_best",
    "checkpoint_every",
    "initial",
    "tensorboard",
    "mlflow",
}
"""Fields of `training` that say how the work is spread, saved and watched: the weights do not depend on them.

They do on `initial`, but on what is in that folder: its fingerprint is that of data."""


def deciding(recipe: Recipe) -> dict[str, Any]:
    """Returns the part of a recipe that decides the weights, as JSON."""
    content = recipe.model_dump(mode="json", include={"task", "seed", "examples", "model", "training"})
    content["training"] = {key: value for key, value in content["training"].items() if key not in SPREAD}
    return content


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yields a line such as `model.units was 512 and is 256` for each field that differs."""
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key} was {old} and is {new}"
