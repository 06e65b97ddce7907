"""Writes the manifests that run a recipe on Kubernetes; `kubectl apply` takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from pipelines.containers import image_of, write_documents
from pipelines.kubernetes.flink import flink_objects
from pipelines.kubernetes.jobs import cron_objects
from pipelines.kubernetes.kuberay import ray_objects
from pipelines.kubernetes.pods import Object, metadata


def render(recipe: Recipe, target: str, *, image: str | None = None, keep_cluster: bool = False) -> list[Object]:
    """Returns the objects that run a recipe: a ConfigMap with the recipe first.

    Args:
        recipe: The run. Its corpus and its `output` are on volumes of `cluster.volumes`, or the corpus is at a URL.
        target: `kuberay`, `flink` or `cron`.
        image: The image; absent: the recipe's, or what `deploy/docker` builds.
        keep_cluster: For `kuberay`: a RayCluster that stays.

    Raises:
        UserError: A place of the recipe would be in no pod; a line for each.
    """
    if faults := list(_places_outside(recipe)):
        hint = "Name a volume in cluster.volumes that holds it"
        raise UserError("\n".join(f"{where}: {what}. {hint}" for where, what in faults))
    chosen = image_of(recipe, image)
    if target == "kuberay":
        found = ray_objects(recipe, chosen, keep_cluster=keep_cluster)
    elif target == "flink":
        found = flink_objects(recipe, chosen)
    else:
        found = cron_objects(recipe, chosen)
    return [_recipe_object(recipe), *found]


def write_manifests(objects: list[Object], output: Path) -> None:
    """Writes objects as one YAML file of several documents."""
    write_documents(objects, output, sort_keys=False)


def _recipe_object(recipe: Recipe) -> Object:
    content: dict[str, Any] = json.loads(recipe.model_dump_json())
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    named = metadata(recipe, "recipe")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": {"recipe.yaml": text}}


def _places_outside(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yields the field and fault of each place that no volume holds: it would be in a container, and lost with it."""
    places = {"output": str(recipe.output), "corpus.root": str(recipe.corpus.root)}
    for field, place in places.items():
        held = any(Path(place).is_relative_to(volume.path) for volume in recipe.cluster.volumes)
        if "://" not in place and not held:
            yield field, f"{place} is on no volume of the pods"
