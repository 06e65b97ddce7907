"""The model as Beam's RunInference takes it; a record that the model fails on does not take others with it."""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from lstmlm.decoding.meter import Meter
from lstmlm.inference.chunks import ChunkContent
from lstmlm.inference.input.requests import Request
from lstmlm.inference.model.loading import TextModel, load_text_model
from lstmlm.inference.model.served import Output
from lstmlm.recipe.sections.decoding import Decoding


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: an output or, where the model failed on it, the error."""

    request: Request
    output: Output | None
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """What became of a chunk.

    Attributes:
        content: The chunk.
        answers: One a request, in their order.
        meter: What the model had to do.
        seconds: How long it took.
    """

    content: ChunkContent
    answers: list[Answer]
    meter: Meter
    seconds: float


class TextHandler(ModelHandler[ChunkContent, Answers, TextModel]):
    """Loads one model a process, the engine or the SavedModel as the export says, and gives it a chunk at a time.

    A chunk is a batch of records already, so Beam makes none: RunInference takes `handler.with_no_batching()`.
    """

    def __init__(self, export: Path, threads: int, decoding: Decoding | None = None) -> None:
        """Remembers what to load; loading happens in the workers.

        Args:
            export: The export folder.
            threads: Threads a process computes with.
            decoding: How to decode; None: as the recipe of the export said.
        """
        super().__init__()
        self._export, self._threads, self._decoding = str(export), threads, decoding

    def load_model(self) -> TextModel:
        """Loads the export folder."""
        model = load_text_model(Path(self._export), threads=self._threads, decoding=self._decoding)
        # What Beam and the model's runtime brought along is never garbage, and looking through it takes 2 % of the job.
        gc.freeze()
        return model

    def share_model_across_processes(self) -> bool:
        """One model a process: sending texts to another process costs more than the memory is worth."""
        return False

    def get_num_bytes(self, batch: Any) -> int:
        """Returns the characters of a chunk: Beam would pickle it to know its size."""
        return sum(len(request.text) for request in batch.requests)

    def run_inference(
        self, batch: Any, model: TextModel, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[Answers]:
        """Decodes a chunk; where it fails, it is halved until only the failing records are lost."""
        content: ChunkContent = batch
        meter, started = Meter(), time.perf_counter()
        answers = _bisect(content.requests, model, meter)
        return [Answers(content, answers, meter, time.perf_counter() - started)]


def _bisect(requests: Sequence[Request], model: TextModel, meter: Meter) -> list[Answer]:
    if not requests:
        return []
    try:
        outputs = model.generate([one.text for one in requests], [one.seed for one in requests], meter)
        return [Answer(request, output) for request, output in zip(requests, outputs, strict=True)]
    except model.failures() as error:
        if len(requests) == 1:
            reason = f"the model failed: {type(error).__name__}: {_first_line(error)}"
            return [Answer(requests[0], None, reason)]
    half = len(requests) // 2
    return [*_bisect(requests[:half], model, meter), *_bisect(requests[half:], model, meter)]


_PREAMBLE = ("Graph execution error", "Detected at ", "File ", "<stack traces", "\t", " ")


def _first_line(error: BaseException) -> str:
    """Returns the line that says what went wrong, without the graph and the stack TensorFlow puts around it."""
    lines = str(getattr(error, "message", "") or error).splitlines()
    informative = (line for line in lines if line.strip() and not line.startswith(_PREAMBLE))
    return next(informative, "no message")[:300]
