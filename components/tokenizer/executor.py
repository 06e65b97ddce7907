"""Runs the stage of `Tokenizer`."""

from __future__ import annotations

from tfx import types

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.recipe.recipe import Recipe
from lstmlm.vocabulary.stage import train_tokenizer as stage


class TokenizerExecutor(StageExecutor):
    """Calls `lstmlm.vocabulary.stage.train_tokenizer`."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        stage(recipe, folder(inputs["records"]), folder(outputs["tokenizer"]), runtime.progress)
