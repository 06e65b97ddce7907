"""Finds the last blessed model of a pipeline, for a recipe that starts from it or is compared with it."""

from __future__ import annotations

from pathlib import Path

from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import folder
from lstmlm.publish.manifest import MANIFEST
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, node_of
from pipelines.chosen import keep_choice, naming, with_kept_choice
from pipelines.metadata.handle import Metadata
from pipelines.metadata.place import Connection


def with_last_blessed(recipe: Recipe, connection: Connection, run_id: str) -> Recipe:
    """Returns a recipe that names the model for which it says `last_blessed`; without one, as if it did not say so.

    The choice is kept with the run: what is blessed in it later does not change what it began with.

    Args:
        recipe: The run.
        connection: The ML Metadata store.
        run_id: The run.
    """
    kept = with_kept_choice(recipe, run_id)
    if kept is not None:
        return kept
    model = last_blessed(connection, recipe.run_folder.resolve())
    keep_choice(recipe, run_id, model)
    return naming(recipe, model)


def last_blessed(connection: Connection, home: Path) -> Path | None:
    """Returns the export folder of the model that was blessed last and is still there, by TFX's resolver strategy.

    Args:
        connection: The ML Metadata store, which may have the models of other recipes too.
        home: The run's folder, absolute: a model elsewhere is none of this run's.
    """
    with Metadata(connection) as handle:
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
        models = [(one, folder(one)) for one in made["model"]]
        made["model"] = [
            one for one, path in models if path.is_relative_to(home) and (path / inside / MANIFEST).is_file()
        ]
        found = LatestBlessedModelStrategy().resolve_artifacts(handle.store, made)
    blessed = found["model"] if found else []
    return folder(blessed[0]) / inside if blessed else None
