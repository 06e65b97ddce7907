"""Runs the stage of `Inference`."""

from __future__ import annotations

from tfx import types

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.errors import BelowThreshold
from lstmlm.inference.run import infer as stage
from lstmlm.recipe.recipe import Recipe


class InferenceExecutor(StageExecutor):
    """Calls `lstmlm.inference.run.infer`."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        model = inputs["pushed_model"]
        if model.get_int_custom_property("pushed") != 1:
            hint = "Train longer or loosen evaluation.thresholds"
            raise BelowThreshold(
                "the model was not good enough to be pushed, so there is none to decode with", hint=hint
            )
        output = folder(outputs["predictions"])
        stage(recipe, folder(model), output, runtime.progress, records=folder(inputs["records"]))
