"""`tensorflow`: TensorFlow on processors and GPUs, in float32 or bfloat16."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.inference.model.backend_kind import BackendKind

if TYPE_CHECKING:
    from lstmlm.decoding.backend import Backend
    from lstmlm.recipe.sections.decoding import DecodingSection
    from lstmlm.task import Task


class TensorFlow(BackendKind):
    """See `lstmlm.decoding.tensorflow_backend`."""

    precisions = ("float32", "bfloat16")

    def load(
        self, folder: Path, facts: Mapping[str, Any], decoding: DecodingSection, threads: int, task: Task
    ) -> Backend:
        """See `BackendKind`."""
        from lstmlm.decoding.tensorflow_backend import TensorFlowBackend
        from lstmlm.inference.model.served import bound_threads
        from lstmlm.models.weights import load_arrays
        from lstmlm.recipe.recipe import Recipe
        from lstmlm.recipe.sections.corpus import CorpusSection
        from lstmlm.recipe.sections.model import ModelSection
        from lstmlm.recipe.sections.training import TrainingSection

        bound_threads(threads)
        recipe = Recipe(
            name="model",
            task="generate",  # not used: `task` builds the network, and names from a folder are not looked up
            corpus=CorpusSection(train=""),
            model=ModelSection.model_validate(facts["model"]),
            training=TrainingSection(precision="bfloat16" if decoding.precision == "bfloat16" else "float32"),
        )
        if task.Options is not None:
            options = task.Options.model_validate(facts.get("task_options") or {})
            recipe = recipe.model_copy(update={"task_options": options})
        network = task.build(recipe, int(facts["vocabulary"]))
        load_arrays(folder / "weights.npz", network.named_variables())
        return TensorFlowBackend(network, int(facts["vocabulary"]))


BACKEND = TensorFlow()
