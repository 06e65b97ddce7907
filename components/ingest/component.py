"""The component that reads the corpus into records."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.ingest.executor import IngestExecutor
from components.recipe_sections import sections
from components.stage import PARAMETERS, code_version
from lstmlm.corpus.sources.files import corpus_fingerprint
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

VERSION = 1
"""Raise it when the executor changes what it writes; a change of the stage raises the stage's own."""


class IngestSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of `Ingest`."""

    PARAMETERS: ClassVar = {**PARAMETERS, "corpus_fingerprint": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {}
    OUTPUTS: ClassVar = {"records": ChannelParameter(type=standard_artifacts.Examples)}


class Ingest(base_component.BaseComponent):
    """Corpus -> records, as `Examples` with the splits train and valid."""

    SPEC_CLASS = IngestSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(IngestExecutor)

    def __init__(self, recipe: Recipe) -> None:
        """Declares the step.

        Args:
            recipe: The whole recipe; narrowed to what this step depends on.
        """
        spec = IngestSpec(
            recipe=sections(recipe, STAGES["ingest"]),
            version=code_version(VERSION, STAGES["ingest"].version),
            corpus_fingerprint=corpus_fingerprint(recipe),
            records=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
