"""The recipe: one typed YAML file that describes a whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from lstmlm.errors import UserError
from lstmlm.publish.places import check_local
from lstmlm.recipe.presets import PRESETS, Preset
from lstmlm.recipe.sections.cluster import ClusterSection, Resources
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.evaluation import EvaluationSection
from lstmlm.recipe.sections.examples import ExamplesSection
from lstmlm.recipe.sections.inference import InferenceSection
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.recipe.sections.section import FROM_DATA, Section, refuse
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.recipe.sections.training import TrainingSection
from lstmlm.recipe.task_options import FIELD, checked_options
from lstmlm.storage import StorePath, place


class Recipe(Section):
    """One run from raw text to batch output."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")] = Field(description="Name of the run.")
    task: str = Field(
        description="What is learnt: a name that `lstmlm recipe tasks` lists, or `package.module:Class` of an "
        "installed package."
    )
    task_options: SerializeAsAny[Section] | None = Field(
        None, validate_default=True, description="Settings of the task's own; those of the built-in tasks are below."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(1, description="Decides everything random.")
    preset: Preset | None = Field(
        None,
        description="Fields that the recipe leaves open, of `model`, `training` and what else belongs to a network "
        "(`lstmlm/recipe/presets.py`).",
    )
    output: Path = Field(Path("runs"), description="Folder the run's own folder is made in, also of s3:// or gs://.")
    corpus: CorpusSection
    tokenizer: TokenizerSection = TokenizerSection()
    examples: ExamplesSection = ExamplesSection()
    model: ModelSection = ModelSection()
    training: TrainingSection = TrainingSection()
    evaluation: EvaluationSection = EvaluationSection()
    decoding: DecodingSection = DecodingSection()
    inference: InferenceSection = InferenceSection()
    cluster: ClusterSection = ClusterSection()

    @field_validator(FIELD, mode="before")
    @classmethod
    def _options_are_the_task_s(cls, value: Any, info: ValidationInfo) -> Any:
        if "task" not in info.data:
            return None
        return checked_options(info.data["task"], value, from_data=info.context == FROM_DATA)

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What is written of a run whose task has no options, or that leaves them as they are, does not know of any:
        # a task may get options without a change of what was made before. `cluster` decides no result at all.
        content: dict[str, Any] = handler(self)
        if content.get(FIELD) is None or not self.given_options:
            content.pop(FIELD, None)
        if self.cluster == ClusterSection():
            content.pop("cluster", None)
        return content

    def resources(self, stage: str) -> Resources:
        """Returns what Kubernetes gives the container of a stage; `training.use_gpu` means a GPU per worker."""
        found = self.cluster.resources(stage)
        if found.gpus is None:
            given = self.training.most_workers if stage == "train" and self.training.use_gpu else 0
            found = found.model_copy(update={"gpus": given})
        return found

    @property
    def given_options(self) -> dict[str, Any]:
        """The `task_options` that are not at their defaults, as JSON."""
        return {} if self.task_options is None else self.task_options.model_dump(mode="json", exclude_defaults=True)

    @field_validator("output", mode="before")
    @classmethod
    def _output_is_known(cls, value: Any) -> Any:
        try:
            if not isinstance(place(str(value)), StorePath):
                check_local(str(value))
        except UserError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("output", mode="after")
    @classmethod
    def _output_as_place(cls, value: Path) -> Path:
        return place(value)

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("preset") not in PRESETS:
            return content
        filled = dict(content)
        for section, fields in PRESETS[content["preset"]].items():
            given = filled.get(section, {})
            if isinstance(given, dict):
                filled[section] = fields | given
        return filled

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse(self._clashes())
        return self

    def _clashes(self) -> Iterator[str]:
        if self.training.label_smoothing and self.model.pointer:
            yield "training.label_smoothing needs a model without model.pointer. Leave one of them out"
        if self.model.softmax == "adaptive" and self.model.pointer:
            yield "model.pointer needs model.softmax=full. Leave one of them out"
        if self.training.coverage_loss and not self.model.coverage:
            yield "training.coverage_loss needs model.coverage. Set it, or leave coverage_loss out"

    @property
    def run_folder(self) -> Path:
        """The folder that holds everything of this run."""
        return self.output / self.name
