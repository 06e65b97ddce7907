"""The component that decodes a batch of texts."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import artifacts
from components.inference.executor import InferenceExecutor
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from lstmlm.inference.input.inputs import chosen_fingerprint
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class InferenceSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `Inference`."""

    PARAMETERS: ClassVar = {**PARAMETERS, "input_fingerprint": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
        "records": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {"predictions": ChannelParameter(type=artifacts.Predictions)}


class Inference(base_component.BaseComponent):
    """Pushed model and records (or the recipe's JSONL) -> predictions."""

    SPEC_CLASS = InferenceSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(InferenceExecutor)

    def __init__(self, recipe: Recipe, pushed_model: types.BaseChannel, records: types.BaseChannel) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
            pushed_model: What Pusher pushed.
            records: Records of the ingest step.
        """
        spec = InferenceSpec(
            recipe=sections(recipe, STAGES["infer"]),
            version=code_version(VERSION, STAGES["infer"].version),
            input_fingerprint=chosen_fingerprint(recipe),
            pushed_model=pushed_model,
            records=records,
            predictions=types.Channel(type=artifacts.Predictions),
        )
        super().__init__(spec=spec)
