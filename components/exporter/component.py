"""The component that writes the SavedModel."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from components import artifacts
from components.exporter.executor import ExporterExecutor
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class ExporterSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `Exporter`."""

    PARAMETERS = PARAMETERS
    INPUTS: ClassVar = {
        "training_run": ChannelParameter(type=artifacts.TrainingRun),
        "tokenizer": ChannelParameter(type=artifacts.Tokenizer),
    }
    OUTPUTS: ClassVar = {"model": ChannelParameter(type=standard_artifacts.Model)}


class Exporter(base_component.BaseComponent):
    """Trained weights and vocabulary -> a `Model` that takes and gives text."""

    SPEC_CLASS = ExporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ExporterExecutor)

    def __init__(self, recipe: Recipe, training_run: types.BaseChannel, tokenizer: types.BaseChannel) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
            training_run: The trained weights.
            tokenizer: The vocabulary.
        """
        spec = ExporterSpec(
            recipe=sections(recipe, STAGES["export"]),
            version=code_version(VERSION, STAGES["export"].version),
            training_run=training_run,
            tokenizer=tokenizer,
            model=types.Channel(type=standard_artifacts.Model),
        )
        super().__init__(spec=spec)
