"""Runs the stage of `Ingest`."""

from __future__ import annotations

from tfx import types

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.corpus.ingest import ingest as stage
from lstmlm.recipe.recipe import Recipe

SPLITS = ["train", "valid"]


class IngestExecutor(StageExecutor):
    """Calls `lstmlm.corpus.ingest.ingest`."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        stage(recipe, folder(outputs["records"]), runtime.progress)
        outputs["records"].splits = SPLITS
