"""The first step: reads the fingerprints of the files that no stage made, when a run starts.

They are inputs of the stages that read these files, so a recurring run over other files does not take cached results.
"""

from __future__ import annotations

from components.properties import RECIPE
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import Stage, pipeline_stages
from pipelines.kubeflow.invocation import Invocation

FILES_EXECUTOR = "pipelines.kubeflow.files.write_fingerprints"


def stages_with_files() -> list[Stage]:
    """Returns the stages that read files which no stage made."""
    return [stage for stage in pipeline_stages() if stage.outside]


def write_fingerprints(invocation: Invocation) -> None:
    """Writes the fingerprint for each stage that reads such files into the output parameter of its name.

    Raises:
        UserError: A file cannot be read.
    """
    recipe = Recipe.model_validate_json(invocation.parameters[RECIPE])
    for name, file in invocation.output_parameters.items():
        (stage,) = (one for one in stages_with_files() if one.name == name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(stage.outside_fingerprint(recipe), encoding="utf-8")
