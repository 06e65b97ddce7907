"""A Beam RunInference model handler that isolates the records a model fails on."""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from lstmlm.decoding.meter import Meter
from lstmlm.inference.chunks import ChunkContent
from lstmlm.inference.model.isolation import Answer, predicted
from lstmlm.publish.cache import local_copy
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import Predictor, load_task


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """What became of a chunk.

    Attributes:
        content: The chunk.
        answers: One per request, in their order.
        meter: What the model had to do.
        seconds: How long it took.
    """

    content: ChunkContent
    answers: list[Answer]
    meter: Meter
    seconds: float


class TaskHandler(ModelHandler[ChunkContent, Answers, Predictor]):
    """Loads one model per process, as the recipe's task does, and passes it one chunk at a time.

    A chunk is a batch of records already, so Beam makes none: RunInference takes `handler.with_no_batching()`.
    """

    def __init__(self, export: Path, recipe: Recipe) -> None:
        """Remembers what to load; loading happens in the workers.

        Args:
            export: The export folder; of one in a store, each worker loads the copy of its machine.
            recipe: The run.
        """
        super().__init__()
        self._export, self._recipe = str(export), recipe

    def load_model(self) -> Predictor:
        """Loads the export folder."""
        model = load_task(self._recipe.task).predictor(local_copy(self._export), self._recipe)
        # Objects of Beam and of the model's runtime are never garbage; scanning them takes 2 % of the job.
        gc.freeze()
        return model

    def share_model_across_processes(self) -> bool:
        """One model per process: sending texts to another process costs more than the memory is worth."""
        return False

    def get_num_bytes(self, batch: Any) -> int:
        """Returns about the characters of a chunk: Beam would pickle it to know its size."""
        return sum(
            len(value) for request in batch.requests for value in request.fields.values() if hasattr(value, "__len__")
        )

    def run_inference(
        self, batch: Any, model: Predictor, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[Answers]:
        """Decodes a chunk; where it fails, it is halved until only the failing records are lost."""
        content: ChunkContent = batch
        meter, started = Meter(), time.perf_counter()
        answers = predicted(content.requests, model, meter)
        return [Answers(content, answers, meter, time.perf_counter() - started)]
