"""The component that turns records into token ids."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from components import artifacts
from components.examples.executor import BuildExamplesExecutor
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class BuildExamplesSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `BuildExamples`."""

    PARAMETERS = PARAMETERS
    INPUTS: ClassVar = {
        "records": ChannelParameter(type=standard_artifacts.Examples),
        "tokenizer": ChannelParameter(type=artifacts.Tokenizer),
    }
    OUTPUTS: ClassVar = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class BuildExamples(base_component.BaseComponent):
    """Records and vocabulary -> tokenised examples."""

    SPEC_CLASS = BuildExamplesSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(BuildExamplesExecutor)

    def __init__(self, recipe: Recipe, records: types.BaseChannel, tokenizer: types.BaseChannel) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
            records: Records of the ingest step.
            tokenizer: The vocabulary.
        """
        spec = BuildExamplesSpec(
            recipe=sections(recipe, STAGES["examples"]),
            version=code_version(VERSION, STAGES["examples"].version),
            records=records,
            tokenizer=tokenizer,
            examples=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
