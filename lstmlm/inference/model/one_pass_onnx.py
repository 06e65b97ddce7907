"""A model that predicts in one pass, computed by onnxruntime in float32 or int8."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.inference.model.one_pass import MULTIPLE, by_size
from lstmlm.inference.model.served import batch_size
from lstmlm.publish.folder import read_manifest
from lstmlm.task import Prediction

if TYPE_CHECKING:
    import onnxruntime

Requests = Sequence[Mapping[str, Any]]


def onnx_file(folder: Path, *, int8: bool) -> Path:
    """Returns the file of an export folder with the graph of a model that predicts in one pass."""
    return folder / ("one_pass.int8.onnx" if int8 else "one_pass.onnx")


def one_pass_session(folder: Path, *, int8: bool, threads: int) -> onnxruntime.InferenceSession:
    """Opens the graph of an export folder.

    Raises:
        UserError: The folder has no such file.
    """
    from lstmlm.decoding.onnx.session import open_session

    path = onnx_file(folder, int8=int8)
    if not path.is_file():
        raise UserError("no such file", where=str(path), hint="Export again")
    return open_session(path, threads)


class OnnxOnePassPredictor:
    """See `lstmlm.task.Predictor`.

    As with the SavedModel, every run has the same number of rows, and rows are as long as a multiple of 16: a
    prediction does not depend on which others are asked for.

    Args:
        folder: The export folder.
        inputs: Turns requests into what the graph reads: name -> an array for each request; they are padded with 0.
            What the graph does not read is passed on to `outputs`.
        outputs: Turns requests and what the graph gives for them, name -> [rows, ...], into predictions.
        int8: Compute the matrix products in int8.
        threads: Threads to compute with.

    Raises:
        UserError: Not a finished export, or one without the graph.
    """

    def __init__(
        self,
        folder: Path,
        inputs: Callable[[Requests], Mapping[str, Sequence[Any]]],
        outputs: Callable[[Requests, Mapping[str, Any]], list[Prediction]],
        *,
        int8: bool,
        threads: int,
    ) -> None:
        read_manifest(folder, "export", verify=True)
        self._rows, self._inputs, self._outputs = batch_size(folder), inputs, outputs
        self._session = one_pass_session(folder, int8=int8, threads=threads)
        self._reads = [value.name for value in self._session.get_inputs()]
        self._names = [value.name for value in self._session.get_outputs()]

    def predict(self, requests: Requests, seeds: Sequence[int], meter: Meter | None = None) -> list[Prediction]:
        """See `Predictor`; nothing is drawn, so the seeds are of no account."""
        values = self._inputs(requests)
        others = [name for name in values if name not in self._reads]
        sizes = [sum(values[name][n].size for name in self._reads) for n in range(len(requests))]

        def predicted(places: Sequence[int]) -> list[Prediction]:
            batch = {name: padded([values[name][place] for place in places], self._rows) for name in self._reads}
            given: dict[str, Any] = dict(zip(self._names, self._session.run(self._names, batch), strict=True))
            given |= {name: [values[name][place] for place in places] for name in others}
            return self._outputs([requests[place] for place in places], given)

        return by_size(sizes, self._rows, predicted, meter or Meter())

    def failures(self) -> tuple[type[Exception], ...]:
        """See `Predictor`."""
        from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

        return (Fail, RuntimeException, InvalidArgument, ValueError, MemoryError)


def padded(values: Sequence[npt.NDArray[Any]], rows: int) -> npt.NDArray[Any]:
    """Returns the values of each row, padded with 0 to a multiple of 16; rows that are missing repeat the first."""
    some = [*values, *[values[0]] * (rows - len(values))]
    if not some[0].ndim:
        return np.stack(some)
    longest = -(-max(map(len, some)) // MULTIPLE) * MULTIPLE
    column = np.zeros([rows, longest, *some[0].shape[1:]], some[0].dtype)
    for row, array in enumerate(some):
        column[row, : len(array)] = array
    return column
