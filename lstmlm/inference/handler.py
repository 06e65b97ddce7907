"""The model as Beam's RunInference takes it; a record that the model fails on does not take others with it."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from lstmlm.inference.inputs import Request
from lstmlm.inference.loading import TextModel, load_text_model
from lstmlm.inference.served import Output


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: an output or, where the model failed on it, the error."""

    request: Request
    output: Output | None
    error: str = ""


_watchers: dict[str, Callable[[int], None]] = {}


@contextlib.contextmanager
def watched(listen: Callable[[int], None]) -> Iterator[str]:
    """Calls `listen` with the size of every batch that is done in this process; yields the watcher's name.

    Handlers travel to workers as bytes, which a function on a screen cannot: they carry a name. A worker in another
    process knows no watcher by it and tells nothing.
    """
    name = uuid.uuid4().hex
    _watchers[name] = listen
    try:
        yield name
    finally:
        del _watchers[name]


def _tell(name: str, records: int) -> None:
    if name in _watchers:
        _watchers[name](records)


class TextHandler(ModelHandler[Request, Answer, TextModel]):
    """Loads one model a process, the engine or the SavedModel as the export says, and feeds it batches."""

    def __init__(self, export: Path, batch: int, threads: int, watcher: str = "") -> None:
        """Remembers what to load; loading happens in the workers.

        Args:
            export: The export folder.
            batch: Records the model is given at once.
            threads: Threads a process computes with.
            watcher: Name given by `watched`.
        """
        super().__init__(min_batch_size=batch, max_batch_size=batch)
        self._export, self._threads, self._watcher = str(export), threads, watcher

    def load_model(self) -> TextModel:
        """Loads the export folder."""
        return load_text_model(Path(self._export), threads=self._threads)

    def share_model_across_processes(self) -> bool:
        """One model a process: sending texts to another process costs more than the memory is worth."""
        return False

    def run_inference(
        self, batch: Sequence[Request], model: TextModel, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[Answer]:
        """Decodes a batch; one that fails is halved until the culprits are alone, so that only they are lost."""
        answers = self._bisect(batch, model)
        _tell(self._watcher, len(answers))
        return answers

    def _bisect(self, batch: Sequence[Request], model: TextModel) -> list[Answer]:
        try:
            return self._decode(batch, model)
        except model.failures() as error:
            if len(batch) == 1:
                reason = f"the model failed: {type(error).__name__}: {_first_line(error)}"
                return [Answer(batch[0], None, reason)]
        half = len(batch) // 2
        return [*self._bisect(batch[:half], model), *self._bisect(batch[half:], model)]

    @staticmethod
    def _decode(batch: Sequence[Request], model: TextModel) -> list[Answer]:
        outputs = model.generate([request.text for request in batch], [request.seed for request in batch])
        return [Answer(request, output) for request, output in zip(batch, outputs, strict=True)]


_PREAMBLE = ("Graph execution error", "Detected at ", "File ", "<stack traces", "\t", " ")


def _first_line(error: BaseException) -> str:
    """Returns the line that says what went wrong, without the graph and the stack TensorFlow puts around it."""
    lines = str(getattr(error, "message", "") or error).splitlines()
    telling = (line for line in lines if line.strip() and not line.startswith(_PREAMBLE))
    return next(telling, "no message")[:300]
