"""The component that trains the vocabulary."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import artifacts
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from components.tokenizer.executor import TokenizerExecutor
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES
from lstmlm.tokenizer.foreign.given import given_fingerprint

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class TokenizerSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `Tokenizer`."""

    PARAMETERS: ClassVar = {**PARAMETERS, "given_fingerprint": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {"records": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS: ClassVar = {"tokenizer": ChannelParameter(type=artifacts.Tokenizer)}


class Tokenizer(base_component.BaseComponent):
    """Records -> vocabulary."""

    SPEC_CLASS = TokenizerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(TokenizerExecutor)

    def __init__(self, recipe: Recipe, records: types.BaseChannel) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
            records: Records of the ingest step.
        """
        spec = TokenizerSpec(
            recipe=sections(recipe, STAGES["tokenizer"]),
            version=code_version(VERSION, STAGES["tokenizer"].version),
            given_fingerprint=given_fingerprint(recipe) or "",
            records=records,
            tokenizer=types.Channel(type=artifacts.Tokenizer),
        )
        super().__init__(spec=spec)
