"""Runs the stage of `Evaluator`."""

from __future__ import annotations

import json

from tfx import types
from tfx.components.evaluator import constants
from tfx.utils import path_constants

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.evaluation.run import evaluate as stage
from lstmlm.recipe.recipe import Recipe


class EvaluatorExecutor(StageExecutor):
    """Calls `lstmlm.evaluation.run.evaluate`."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        output = folder(outputs["evaluation"])
        export = folder(inputs["model"]) / path_constants.SERVING_MODEL_DIR
        stage(recipe, export, folder(inputs["records"]), output, runtime.progress)
        blessed = json.loads((output / "metrics.json").read_text(encoding="utf-8"))["blessed"]
        _bless(outputs["blessing"], inputs["model"], blessed=blessed)


def _bless(blessing: types.Artifact, model: types.Artifact, *, blessed: bool) -> None:
    """Writes the file and the properties by which Pusher and the resolver of the last blessed model know a verdict."""
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    (folder(blessing) / name).touch()
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
