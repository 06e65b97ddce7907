"""The transform from inputs to pairs of an input and its output."""

from __future__ import annotations

import os
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import PredictionResult, RunInference

from lstmlm.beam.handler import ExportHandler


class Predict(beam.PTransform):
    """`texts | Predict("export")` gives pairs of an input and its output; see `ExportHandler`."""

    def __init__(self, export: str | os.PathLike[str], **options: Any) -> None:
        """Makes the transform; the options are those of `ExportHandler`."""
        super().__init__()
        self._handler = ExportHandler(export, **options)

    def expand(self, inputs: beam.PCollection) -> beam.PCollection:
        """Takes inputs, gives pairs."""
        return inputs | RunInference(self._handler) | beam.Map(_pair)


def _pair(result: PredictionResult) -> tuple[Any, Any]:
    return result.example, result.inference
