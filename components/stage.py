"""The shape all components of this project share: a recipe and a code version in, one stage called, folders out."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types.component_spec import ExecutionParameter

from components.recipe_sections import read_sections
from components.runtime import Runtime, current
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe

RECIPE = "recipe"
VERSION = "version"

PARAMETERS = {RECIPE: ExecutionParameter(type=str), VERSION: ExecutionParameter(type=str)}
"""Every component's: TFX does not see a change of code, so the version represents it in the cache key."""

Artifacts = dict[str, list[types.Artifact]]


class StageExecutor(base_executor.BaseExecutor, abc.ABC):
    """Unpacks what TFX hands over and calls `run`."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        """See `BaseExecutor.Do`."""
        inputs = {key: only(artifacts) for key, artifacts in input_dict.items()}
        outputs = {key: only(artifacts) for key, artifacts in output_dict.items()}
        self.run(read_sections(exec_properties[RECIPE]), inputs, outputs, current())

    @abc.abstractmethod
    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """Calls the stage.

        Args:
            recipe: The sections this component depends on; the others are blank.
            inputs: Input key -> artifact.
            outputs: Output key -> artifact; the folder is there and empty.
            runtime: Progress and cluster of this process.
        """


def only(artifacts: list[types.Artifact]) -> types.Artifact:
    """Returns the one artifact of a channel."""
    if len(artifacts) != 1:
        raise ValueError(f"one artifact expected, got {len(artifacts)}: {[found.uri for found in artifacts]}")
    return artifacts[0]


def folder(artifact: types.Artifact) -> Path:
    """Returns the folder of an artifact.

    Raises:
        UserError: The artifact is in an object store, which the stages cannot read.
    """
    parts = urlsplit(artifact.uri)
    if parts.scheme not in ("", "file"):
        hint = "Mount it as a file system and use the mounted path as the pipeline root"
        raise UserError(f"artifacts in {parts.scheme}:// are not supported", where=artifact.uri, hint=hint)
    return Path(parts.path if parts.scheme else artifact.uri)


def code_version(component: int, stage: int | str) -> str:
    """Returns what represents the code of a component in its cache key.

    Args:
        component: The component's own `VERSION`.
        stage: The version of the library's stage.
    """
    return f"{component}.{stage}"
