"""`evaluation`: metrics, and the bounds a model must meet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lstmlm.recipe.sections.section import Positive, Section


class Threshold(Section):
    """Bounds of one metric; outside of them the model is not pushed."""

    min: float | None = Field(None, description="Smallest acceptable value.")
    max: float | None = Field(None, description="Largest acceptable value.")


class Cache(Section):
    """A neural cache for a language model, measured as metrics of its own (Grave et al. 2017)."""

    size: Annotated[int, Field(ge=0)] = Field(0, description="Recent positions it holds; 0: no cache.")
    sharpness: Annotated[float, Field(gt=0.0)] = Field(1.0, description="How much more like positions count.")
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(0.15, description="Its share of the mixture.")


class Evaluation(Section):
    """How the trained model is evaluated."""

    thresholds: dict[str, Threshold] = Field({}, description="Metric name -> bounds.")
    max_records: Positive = Field(5000, description="Records of the valid split that are decoded at most.")
    cache: Cache = Cache()
