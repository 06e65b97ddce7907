"""Puts the last blessed model in the place of `last_blessed` in a recipe, the same one for all stages of a run id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration import metadata
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import folder
from lstmlm.publish.folder import replacing
from lstmlm.publish.manifest import MANIFEST, fingerprint, read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.initial import LAST_BLESSED
from lstmlm.stages import STAGES, node_of


def with_last_blessed(recipe: Recipe, connection: metadata_store_pb2.ConnectionConfig, run_id: str) -> Recipe:
    """Returns a recipe that names the model for which it says `last_blessed`; without one, as if it did not say so.

    The choice is kept with the run: what is blessed in it later does not change what it began with.

    Args:
        recipe: The run.
        connection: The ML Metadata store.
        run_id: The run.
    """
    initial, against = recipe.training.initial, recipe.evaluation.against
    starts, compares = initial is not None and initial.model == LAST_BLESSED, against == LAST_BLESSED
    if not starts and not compares:
        return recipe
    model = _chosen(recipe, connection, run_id)
    changed: dict[str, Any] = {}
    if starts and initial is not None:
        start = None if model is None else initial.model_copy(update={"model": model})
        changed["training"] = recipe.training.model_copy(update={"initial": start})
    if compares:
        changed["evaluation"] = recipe.evaluation.model_copy(update={"against": model})
    return recipe.model_copy(update=changed)


def _chosen(recipe: Recipe, connection: metadata_store_pb2.ConnectionConfig, run_id: str) -> Path | None:
    path = recipe.run_folder / "last_blessed" / f"{fingerprint(run_id)[:16]}.json"
    if path.is_file():
        kept = read_object(path, "run_id", "model")["model"]
        return None if kept is None else recipe.run_folder.resolve() / str(kept)
    found = last_blessed(connection)
    home = recipe.run_folder.resolve()
    if found is not None and not found.is_relative_to(home):
        found = None  # of a folder that is not this run's any more
    kept = None if found is None else str(found.relative_to(home))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, durable=True) as stream:
        stream.write(json.dumps({"run_id": run_id, "model": kept}).encode() + b"\n")
    return found


def last_blessed(connection: metadata_store_pb2.ConnectionConfig) -> Path | None:
    """Returns the export folder of the model that was blessed last and is still there, by TFX's resolver strategy."""
    with metadata.Metadata(connection) as handle:
        kinds = {"model": standard_artifacts.Model, "blessing": standard_artifacts.ModelBlessing}
        known = {found.name for found in handle.store.get_artifact_types()}
        if not known.issuperset(kind.TYPE_NAME for kind in kinds.values()):
            return None
        made = {
            key: [
                artifact_utils.deserialize_artifact(handle.store.get_artifact_type(kind.TYPE_NAME), found)
                for found in handle.store.get_artifacts_by_type(kind.TYPE_NAME)
            ]
            for key, kind in kinds.items()
        }
        inside = node_of(STAGES["export"]).inside
        made["model"] = [one for one in made["model"] if (folder(one) / inside / MANIFEST).is_file()]
        found = LatestBlessedModelStrategy().resolve_artifacts(handle.store, made)
    models = found["model"] if found else []
    return folder(models[0]) / inside if models else None
