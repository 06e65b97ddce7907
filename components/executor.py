"""Runs the stage of a component: unpacks what TFX hands over and calls the stage's function."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor

from components.artifacts import folder, only
from components.call import call_stage
from components.hooks import SPLIT_NAMES, Handed
from components.properties import RECIPE, STAGE
from components.recipe_sections import read_sections
from components.runtime import current
from lstmlm.stages import STAGES

Artifacts = dict[str, list[types.Artifact]]


class StageExecutor(base_executor.BaseExecutor):
    """Calls the stage that its parameter names; a hook does what TFX asks for around it."""

    def Do(  # noqa: N802 (TFX calls it so)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """See `BaseExecutor.Do`."""
        stage = STAGES[exec_properties[STAGE]]
        inputs = {one.key: _handed(only(input_dict[one.key])) for one in stage.inputs}
        made = {key: only(artifacts) for key, artifacts in output_dict.items()}
        outputs = {key: Handed(folder(artifact), artifact.uri) for key, artifact in made.items()}
        call_stage(stage, read_sections(exec_properties[RECIPE]), inputs, outputs, current())
        for key, output in outputs.items():
            _set_properties(made[key], output.properties)


def _handed(artifact: types.Artifact) -> Handed:
    names = artifact.mlmd_artifact.custom_properties
    properties = {name: artifact.get_custom_property(name) for name in names}
    return Handed(folder(artifact), artifact.uri, artifact.id, properties)


def _set_properties(artifact: types.Artifact, properties: dict[str, Any]) -> None:
    for name, value in properties.items():
        if name == SPLIT_NAMES:
            artifact.split_names = value
        elif isinstance(value, int):
            artifact.set_int_custom_property(name, value)
        else:
            artifact.set_string_custom_property(name, value)
