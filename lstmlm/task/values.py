"""What a task takes and gives: features of examples, predictions, columns of an output, records that it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lstmlm.tokenizer.rows import TokenRows

    Values = TokenRows | npt.NDArray[np.generic] | Sequence[npt.NDArray[np.generic]]
    """The values of a feature, a row an example: token ids; one array [rows, ...]; or an array [time, ...] a row."""


Better = Literal["higher", "lower"]
"""Which value of a metric is better."""


class BadRecord(Exception):
    """A line that cannot become a record or a request; the message is the reason its dead letter carries."""


class BlankRecord(BadRecord):
    """A line without text where a record has some: nothing is wrong with it, and it is dropped."""


@dataclasses.dataclass(frozen=True, slots=True)
class Feature:
    """What a feature of an example holds.

    Attributes:
        kind: `tokens` are ids of the vocabulary, which 0 pads; `int` and `float` are any other numbers.
        shape: Size of each dimension; None, in the first place only: as long as the example is (time).
    """

    kind: Literal["tokens", "int", "float"]
    shape: tuple[int | None, ...] = (None,)

    @property
    def ragged(self) -> bool:
        """Whether examples differ in length."""
        return self.shape[:1] == (None,)

    @property
    def inner(self) -> tuple[int, ...]:
        """The dimensions behind the first, which are the same in every example."""
        return tuple(size for size in self.shape[1:] if size is not None)


@dataclasses.dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of the batch job's output.

    Attributes:
        kind: What its values are, for readers of the schema.
        always: Whether every output has it.
    """

    kind: Literal["id", "text", "int", "float", "bool", "list", "object"]
    always: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """What a model made of one request.

    Attributes:
        fields: Column of the output -> value, without the id; see `Task.schema`.
        size: What was computed for it: tokens that were decoded, frames, or 1 for a label.
        cut: Part of the input that was too long to be read, in the units of the input.
    """

    fields: Mapping[str, Any]
    size: int = 1
    cut: int = 0


class Predictor(Protocol):
    """A published model: requests in, predictions out. A prediction depends on its request and seed only."""

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Any = None
    ) -> Sequence[Prediction | BadRecord]:
        """Returns one prediction per request, in their order; the seeds are below 2**63.

        In the place of a prediction may be a `BadRecord`, not raised: why this request has none.
        """

    def failures(self) -> tuple[type[Exception], ...]:
        """Returns the exceptions that a single request can cause: it becomes a dead letter; others abort the job."""


class MetricProbe(Protocol):
    """Measures a model during training by what it predicts."""

    def measure(self) -> dict[str, float]:
        """Returns the task's `output_metrics`, the same on every worker. Every worker must call it."""
