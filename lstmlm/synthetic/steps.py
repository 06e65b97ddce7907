"""The steps that distilling and back-translation share: stages, one after the other, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from lstmlm.corpus.ingest import ingest
from lstmlm.inference.model.same_network import trained_network
from lstmlm.inference.run import infer
from lstmlm.progress import Progress
from lstmlm.publish.manifest import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.runners.runner import Runner


class Lines(Protocol):
    """Shows the steps: runs one, and says what came out."""

    def step(self, name: str, folder: Path, work: Callable[[Progress], Manifest]) -> Manifest:
        """Runs a step that publishes a folder; a finished one is a no-op."""


def read_corpus(recipe: Recipe, home: Path, lines: Lines, runner: Runner | None) -> Path:
    """Runs ingest; returns the records folder."""
    folder = home / "records"
    lines.step("ingest", folder, lambda progress: ingest(recipe, folder, progress, runner=runner))
    return folder


def decoded(recipe: Recipe, export: Path, texts: Path, home: Path, lines: Lines, runner: Runner | None) -> Path:
    """Runs the batch job over texts; returns the folder of its predictions. A stopped job resumes."""
    folder = home / "predictions"
    lines.step("infer", folder, lambda progress: infer(recipe, export, folder, progress, input=texts, runner=runner))
    return folder


def asking(recipe: Recipe, export: Path, fields: dict[str, Any]) -> Recipe:
    """Returns a recipe for the batch job of a model, whose network the export knows.

    Args:
        recipe: Gives the rest.
        export: The export folder.
        fields: What of `inference` says where the texts are.

    Raises:
        UserError: The export is damaged.
    """
    _, model = trained_network(export)
    inference = recipe.inference.model_copy(update={"input": None, "format": "jsonl", **fields})
    return recipe.model_copy(update={"model": model, "inference": inference})
