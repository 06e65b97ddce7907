"""`evaluation`: metrics, and the bounds a model must meet."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from lstmlm import plugins
from lstmlm.recipe.sections.section import Extension, Positive, Section

_METRICS = Extension("lstmlm.evaluation.metric:METRICS")
MetricName = Annotated[str, _METRICS, AfterValidator(_METRICS.check)]

_LANGUAGES = "lstmlm.corpus.steps.language_codes:ISO_639_1"


class Threshold(Section):
    """Bounds of one metric; outside of them the model is not pushed."""

    min: float | None = Field(None, description="Smallest acceptable value.")
    max: float | None = Field(None, description="Largest acceptable value.")
    worse: Annotated[float, Field(ge=0.0)] | None = Field(
        None, description="By how much it may be worse than that of the model in `evaluation.against`, at most."
    )

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # The results of recipes from before there was such a bound stay valid.
        content: dict[str, Any] = handler(self)
        return {name: value for name, value in content.items() if name != "worse" or value is not None}


class Cache(Section):
    """A neural cache for a language model, measured as metrics of its own (Grave et al. 2017)."""

    size: Annotated[int, Field(ge=0)] = Field(0, description="Recent positions it holds; 0: no cache.")
    sharpness: Annotated[float, Field(gt=0.0)] = Field(1.0, description="How much more like positions count.")
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(0.15, description="Its share of the mixture.")


class Comparison(Section):
    """How texts of a language model are held against real ones; see `lstmlm judge`."""

    measured: bool = Field(False, description="Whether the evaluation does it too, as metrics `judge_auc` and so on.")
    records: Annotated[int, Field(ge=40)] = Field(1000, description="Held-out records at most, drawn by hash.")
    prompt: Positive = Field(8, description="First tokens of a record that are given: so many, to the end of a word.")
    tokens: Annotated[int, Field(ge=4)] = Field(
        40, description="Tokens after it that are compared; records of fewer are left out."
    )
    samples: Annotated[int, Field(ge=2, le=64)] = Field(4, description="Samples of a prompt; the best is chosen.")


class EvaluationSection(Section):
    """How the trained model is evaluated."""

    thresholds: dict[str, Threshold] = Field({}, description="Metric name -> bounds.")
    against: Path | None = Field(
        None,
        description="Export folder of an earlier model of this task, which is measured on the same records; "
        "`last_blessed`: in `lstmlm run`, the last model of this pipeline that was good enough, if there is one.",
    )
    metrics: tuple[MetricName, ...] = Field(
        (),
        description="Metrics of the outputs, next to those of the task; tasks of pairs.",
        exclude_if=operator.not_,  # the fingerprints of evaluations without any stay what they were
    )
    max_records: Positive = Field(5000, description="Records of the valid split that are decoded at most.")
    language: str | None = Field(
        None,
        description="Language of the outputs, ISO 639-1, which decides how BLEU and ROUGE split texts: `zh`, `ja` and "
        "`th`, for example, have no spaces between words. Absent: the only one of `corpus.target_languages`, else as "
        "the script of the references says.",
    )
    cache: Cache = Cache()
    judge: Comparison = Comparison()

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # The results of recipes from before there was a judge stay valid.
        content: dict[str, Any] = handler(self)
        if self.judge == Comparison():
            content.pop("judge", None)
        return content

    @field_validator("language")
    @classmethod
    def _is_a_language(cls, language: str | None) -> str | None:
        if language is not None and language not in plugins.imported(_LANGUAGES):
            raise ValueError(f"no language has the ISO 639-1 code {language!r}: write `en`, `fr`, `zh`, `ja` and so on")
        return language
