"""Runs the stage of a component: unpacks what TFX hands over and calls the stage's function."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor

from components.artifacts import folder, only
from components.hooks import Call, hook_of
from components.recipe_sections import read_sections
from components.runtime import current
from lstmlm.stages import STAGES, node_of

STAGE, RECIPE, VERSION, FILES = "stage", "recipe", "version", "files"
"""Parameters of every component: the stage's name, its recipe, its code version, the fingerprint of its files."""

Artifacts = dict[str, list[types.Artifact]]


class StageExecutor(base_executor.BaseExecutor):
    """Calls the stage that its parameter names; a hook does what TFX asks for around it."""

    def Do(  # noqa: N802 (TFX calls it so)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """See `BaseExecutor.Do`."""
        stage, runtime = STAGES[exec_properties[STAGE]], current()
        hook, node = hook_of(stage), node_of(stage)
        inputs = {one.name: only(input_dict[one.key]) for one in stage.inputs}
        outputs = {key: only(artifacts) for key, artifacts in output_dict.items()}
        output = folder(outputs[node.output]) / node.inside
        call = Call(inputs, outputs, output)
        hook.before(call)
        folders = {one.name: folder(inputs[one.name]) / node_of(STAGES[one.upstream]).inside for one in stage.inputs}
        recipe = read_sections(exec_properties[RECIPE])
        stage.load()(recipe, output=output, progress=runtime.progress, **folders, **hook.arguments(runtime))
        hook.after(call)
