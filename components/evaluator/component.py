"""The component that evaluates the exported model."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from components import artifacts
from components.evaluator.executor import EvaluatorExecutor
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class EvaluatorSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `Evaluator`."""

    PARAMETERS = PARAMETERS
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "records": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {
        "evaluation": ChannelParameter(type=artifacts.Evaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Evaluator(base_component.BaseComponent):
    """Exported model and records -> metrics, and the blessing that Pusher asks for."""

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(EvaluatorExecutor)

    def __init__(self, recipe: Recipe, model: types.BaseChannel, records: types.BaseChannel) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
            model: The exported model.
            records: Records of the ingest step.
        """
        spec = EvaluatorSpec(
            recipe=sections(recipe, STAGES["evaluate"]),
            version=code_version(VERSION, STAGES["evaluate"].version),
            model=model,
            records=records,
            evaluation=types.Channel(type=artifacts.Evaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
