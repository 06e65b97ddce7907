"""The TFX component of a stage: takes a recipe, a code version and input artifacts, and publishes output folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import artifact_type
from components.executor import StageExecutor
from components.hooks import hook_of
from components.properties import FILES, RECIPE, STAGE, VERSION
from components.recipe_sections import sections
from components.version import code_version
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, Stage, node_of

PARAMETERS = {name: ExecutionParameter(type=str) for name in (STAGE, RECIPE, VERSION, FILES)}
"""Of every component. TFX does not see a change of code, so the version represents it in the cache key."""


class StageComponent(base_component.BaseComponent):
    """Runs a stage. Its subclasses, one for each stage, are made by `component_class`."""

    def __init__(
        self, stage: Stage, recipe: Recipe, inputs: Mapping[str, types.BaseChannel], files: str | RuntimeParameter
    ) -> None:
        """Declares the step. Reads no file.

        Args:
            stage: Its row of the table.
            recipe: The whole recipe; narrowed to what this stage depends on.
            inputs: Name of an input -> what hands it over.
            files: The fingerprint of the files that the stage reads and no stage made, or a parameter that holds it
                by the time the stage runs.
        """
        properties: dict[str, Any] = {
            STAGE: stage.name,
            RECIPE: sections(recipe, stage),
            VERSION: code_version(stage),
            FILES: files,
        }
        channels = {one.key: inputs[one.name] for one in stage.inputs}
        made = {key: types.Channel(type=kind) for key, kind in output_types(stage).items()}
        super().__init__(spec=self.SPEC_CLASS(**properties, **channels, **made))


def component_class(stage: Stage) -> type[StageComponent]:
    """Returns the component of a stage; its name is that of the node."""
    name = node_of(stage).id
    spec = {
        "__doc__": f"Inputs, outputs and parameters of `{name}`.",
        "PARAMETERS": PARAMETERS,
        "INPUTS": {one.key: ChannelParameter(type=_handed(one.upstream)) for one in stage.inputs},
        "OUTPUTS": {key: ChannelParameter(type=kind) for key, kind in output_types(stage).items()},
    }
    content = {
        "__doc__": stage.help,
        "__module__": __name__,
        "SPEC_CLASS": type(f"{name}Spec", (types.ComponentSpec,), spec),
        "EXECUTOR_SPEC": executor_spec.ExecutorClassSpec(StageExecutor),
    }
    return type(name, (StageComponent,), content)


def output_types(stage: Stage) -> dict[str, type[types.Artifact]]:
    """Returns output key -> artifact type."""
    node = node_of(stage)
    names = {node.output: node.artifact, **hook_of(stage).outputs}
    return {key: artifact_type(name) for key, name in names.items()}


def _handed(upstream: str) -> type[types.Artifact]:
    return artifact_type(node_of(STAGES[upstream]).artifact)
