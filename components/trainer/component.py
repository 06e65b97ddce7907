"""The component that trains the model on Ray."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from components import artifacts
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from components.trainer.executor import TrainerExecutor
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class TrainerSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `Trainer`."""

    PARAMETERS = PARAMETERS
    INPUTS: ClassVar = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "tokenizer": ChannelParameter(type=artifacts.Tokenizer),
    }
    OUTPUTS: ClassVar = {"model": ChannelParameter(type=artifacts.TrainingRun)}


class Trainer(base_component.BaseComponent):
    """Tokenised examples -> trained weights."""

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(TrainerExecutor)

    def __init__(self, recipe: Recipe, examples: types.BaseChannel, tokenizer: types.BaseChannel) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
            examples: Tokenised examples.
            tokenizer: The vocabulary.
        """
        spec = TrainerSpec(
            recipe=sections(recipe, STAGES["train"]),
            version=code_version(VERSION, STAGES["train"].version),
            examples=examples,
            tokenizer=tokenizer,
            model=types.Channel(type=artifacts.TrainingRun),
        )
        super().__init__(spec=spec)
