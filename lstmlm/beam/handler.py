"""A model handler for Beam's RunInference, over the inputs that `lstmlm.Model.stream` takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from lstmlm.api.load import load
from lstmlm.api.model import Model


class ExportHandler(ModelHandler[Any, PredictionResult, Model]):
    """Loads an export in each worker process, and predicts its batches.

    An element is an input of the model's task, such as a text. Of each comes a `PredictionResult`: `example` is the
    input, `inference` the typed output, or a `lstmlm.Failed` where there is none. With keys: `KeyedModelHandler`.
    """

    def __init__(
        self,
        export: str | os.PathLike[str],
        *,
        decoding: Mapping[str, Any] | None = None,
        threads: int = 1,
        least: int = 16,
        most: int = 1024,
    ) -> None:
        """Remembers what to load; loading happens in the workers.

        Args:
            export: A folder that every worker can read, or a URL; see `lstmlm.load`.
            decoding: See `lstmlm.load`.
            threads: Threads of a worker process.
            least: Inputs of a batch at least, where there are so many.
            most: Inputs of a batch at most.
        """
        super().__init__(min_batch_size=least, max_batch_size=most)
        self._export, self._decoding, self._threads = os.fspath(export), decoding, threads

    def load_model(self) -> Model:
        """Loads the export."""
        return load(self._export, decoding=self._decoding, threads=self._threads)

    def run_inference(
        self, batch: Sequence[Any], model: Model, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        """Predicts a batch. Draws depend on the inputs only, so the runner may form any batches."""
        outputs = model.stream(batch, errors="return", placed=False)
        return [PredictionResult(given, output) for given, output in zip(batch, outputs, strict=True)]
