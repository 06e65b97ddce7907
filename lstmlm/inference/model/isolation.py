"""Isolates the requests that a model fails on from those around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from lstmlm.decoding.meter import Meter
from lstmlm.inference.input.requests import Request
from lstmlm.task import BadRecord, Prediction, Predictor


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: an output or, where the model failed on it, the error."""

    request: Request
    output: Prediction | None
    error: str = ""


def predicted(requests: Sequence[Request], model: Predictor, meter: Meter) -> list[Answer]:
    """Predicts; where the model fails, the requests are halved until only the failing ones have no output."""
    if not requests:
        return []
    try:
        outputs = model.predict([one.fields for one in requests], [one.seed for one in requests], meter)
        return [_answer(request, output) for request, output in zip(requests, outputs, strict=True)]
    except model.failures() as error:
        if len(requests) == 1:
            reason = f"the model failed: {type(error).__name__}: {_first_line(error)}"
            return [Answer(requests[0], None, reason)]
    half = len(requests) // 2
    return [*predicted(requests[:half], model, meter), *predicted(requests[half:], model, meter)]


def _answer(request: Request, output: Prediction | BadRecord) -> Answer:
    return Answer(request, None, str(output)) if isinstance(output, BadRecord) else Answer(request, output)


_PREAMBLE = ("Graph execution error", "Detected at ", "File ", "<stack traces", "\t", " ")


def _first_line(error: BaseException) -> str:
    """Returns the line that says what went wrong, without the graph and the stack TensorFlow puts around it."""
    lines = str(getattr(error, "message", "") or error).splitlines()
    informative = (line for line in lines if line.strip() and not line.startswith(_PREAMBLE))
    return next(informative, "no message")[:300]
