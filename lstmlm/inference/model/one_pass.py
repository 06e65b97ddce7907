"""A published model that predicts in one pass: its SavedModel, given requests of like size together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.meter import Meter
from lstmlm.inference.model.served import batch_size, load_signature
from lstmlm.publish.folder import read_manifest
from lstmlm.task import Prediction
from lstmlm.tokenizer import JSON_FILE, Tokenizer, tokenizer_file

MULTIPLE = 16
"""Values of any length are padded to a multiple of this many steps."""


class OnePassPredictor:
    """See `lstmlm.task.Predictor`.

    Every call of the model has the same number of rows, so a prediction does not depend on which others are asked for.

    Args:
        folder: The export folder.
        made: Turns a request and what the model gives for it into a prediction.
        threads: TensorFlow threads to compute with. A process in which TensorFlow already runs keeps its own.

    Raises:
        UserError: Not a finished export, or one that does not have the signature.
    """

    def __init__(
        self,
        folder: Path,
        made: Callable[[Mapping[str, Any], Mapping[str, Any]], Prediction],
        *,
        threads: int | None = None,
    ) -> None:
        read_manifest(folder, "export", verify=True)
        self._rows, self._made = batch_size(folder), made
        self._loaded, self._call = load_signature(folder, threads)
        self._specs: Mapping[str, Any] = self._call.structured_input_signature[1]
        vocabulary = tokenizer_file(folder)
        # Of a vocabulary that tensorflow-text has no operation for, the model takes ids.
        self._words = Tokenizer(vocabulary) if vocabulary.name == JSON_FILE else None

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Meter | None = None
    ) -> list[Prediction]:
        """See `Predictor`; nothing is sampled, so the seeds have no effect."""

        def predicted(places: Sequence[int]) -> list[Prediction]:
            return self._predicted([requests[place] for place in places])

        return by_size(list(map(self._size, requests)), self._rows, predicted, meter or Meter())

    def failures(self) -> tuple[type[Exception], ...]:
        """See `Predictor`."""
        import tensorflow as tf

        return (tf.errors.OpError, ValueError, MemoryError)

    def _size(self, request: Mapping[str, Any]) -> int:
        values = (request[name] for name in self._specs)
        return sum(len(value) for value in values if isinstance(value, str | bytes | list | tuple | np.ndarray))

    def _predicted(self, requests: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        import tensorflow as tf

        inputs = {
            name: tf.constant(self._column([request[name] for request in requests], spec), spec.dtype)
            for name, spec in self._specs.items()
        }
        arrays = {name: values.numpy() for name, values in self._call(**inputs).items()}
        return [
            self._made(request, {name: _plain(values[row]) for name, values in arrays.items()})
            for row, request in enumerate(requests)
        ]

    def _column(self, values: Sequence[Any], spec: Any) -> npt.NDArray[Any] | list[bytes]:
        """Returns the values of an input as [rows, ...], filled up with empty ones."""
        missing = self._rows - len(values)
        if spec.dtype.name == "string":
            return [value.encode("utf-8") if isinstance(value, str) else value for value in values] + [b""] * missing
        if self._words is not None:
            values = [self._words.encode(value) if isinstance(value, str) else value for value in values]
        arrays = [np.asarray(value, spec.dtype.as_numpy_dtype) for value in values]
        shape = [
            -(-max(array.shape[axis] for array in arrays) // MULTIPLE) * MULTIPLE if size is None else size
            for axis, size in enumerate(spec.shape.as_list()[1:])
        ]
        column = np.zeros([self._rows, *shape], spec.dtype.as_numpy_dtype)
        for row, array in enumerate(arrays):
            column[(row, *(slice(size) for size in array.shape))] = array
        return column


def by_size(
    sizes: Sequence[int], rows: int, predicted: Callable[[Sequence[int]], Sequence[Prediction]], meter: Meter
) -> list[Prediction]:
    """Predicts requests of like size together.

    Args:
        sizes: The size of each request.
        rows: Requests that are predicted together, at most.
        predicted: Returns the predictions of the requests at some places, in the order of the places.
        meter: Counts what is done.

    Returns:
        The predictions, in the order of `sizes`.
    """
    order = sorted(range(len(sizes)), key=lambda place: (sizes[place], place))
    found: dict[int, Prediction] = {}
    for start in range(0, len(order), rows):
        places = order[start : start + rows]
        begun = time.perf_counter()
        found.update(zip(places, predicted(places), strict=True))
        meter.finished(time.perf_counter() - begun, len(places))
        meter.step(rows, len(places))
    return [found[place] for place in range(len(sizes))]


def _plain(value: Any) -> Any:
    """Returns a value of an array as Python has it: text, a number, or lists of them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value] if value.dtype == object else value.tolist()
    return value.item() if isinstance(value, np.generic) else value
