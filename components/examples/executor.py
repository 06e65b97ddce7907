"""Runs the stage of `BuildExamples`."""

from __future__ import annotations

from tfx import types

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.examples.build import build_examples as stage
from lstmlm.recipe.recipe import Recipe


class BuildExamplesExecutor(StageExecutor):
    """Calls `lstmlm.examples.build.build_examples`."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        stage(
            recipe,
            folder(inputs["records"]),
            folder(inputs["tokenizer"]),
            folder(outputs["examples"]),
            runtime.progress,
        )
        outputs["examples"].splits = inputs["records"].splits
