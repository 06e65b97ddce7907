"""Metrics that are computed from sums over records: such a metric can be computed of any sample of the records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Better = Literal["higher", "lower"]


@dataclasses.dataclass(frozen=True, slots=True)
class RecordSums:
    """What a metric is computed from.

    Attributes:
        rows: Numbers of each record, float64 [records, numbers].
        value: Returns the metric of the sums of these numbers over records, float64 [numbers].
        better: Which value of the metric is better.
        same: Which numbers have to have the same sums for two models, such as tokens: else they cannot be compared.
    """

    rows: Floats
    value: Callable[[Floats], float]
    better: Better = "higher"
    same: tuple[int, ...] = ()


def mean_of(values: Sequence[Any], scale: float = 1.0) -> RecordSums:
    """Returns the sums of the mean of a number that each record has.

    Args:
        values: One for each record.
        scale: What the mean is multiplied by, such as 100 for percent.
    """
    return ratio_of(values, [1.0] * len(values), scale)


def ratio_of(above: Sequence[Any], below: Sequence[Any], scale: float = 1.0, better: Better = "higher") -> RecordSums:
    """Returns the sums of a ratio of sums, such as edits over words; 0 where nothing is below."""
    rows = _columns(above, below)
    return RecordSums(rows, lambda sums: float(scale * sums[0] / sums[1]) if sums[1] else 0.0, better)


def f1_of(right: Sequence[int], true: Sequence[int], given: Sequence[int]) -> RecordSums:
    """Returns the sums of the F1 of what is right, what is true and what was given, counted over all records."""
    rows = _columns(right, true, given)
    return RecordSums(rows, lambda sums: float(2 * sums[0] / (sums[1] + sums[2])) if sums[1] + sums[2] else 0.0)


def _columns(*counts: Sequence[Any]) -> Floats:
    """Returns numbers of each record side by side, float64 [records, numbers]."""
    import numpy as np  # here, for the interface of tasks is imported by commands that show their help

    return np.stack([np.asarray(some, np.float64) for some in counts], axis=1)
