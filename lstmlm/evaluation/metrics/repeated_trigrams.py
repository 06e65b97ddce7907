"""The share of trigrams that an output repeats (See et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from lstmlm.evaluation.metric import Outputs, TextMetric
from lstmlm.records.sums import RecordSums, ratio_of
from lstmlm.task import Better


class RepeatedTrigrams(TextMetric):
    """See `lstmlm.evaluation.summaries.repeated_trigrams`."""

    values: ClassVar[Mapping[str, Better]] = {"repeated_trigrams": "lower"}
    bounds = (0.0, 1.0)

    def measure(self, outputs: Outputs) -> Mapping[str, float | str]:
        """See `TextMetric`."""
        from lstmlm.evaluation.summaries import repeated_trigrams

        return {"repeated_trigrams": repeated_trigrams(outputs.texts)}

    def sums(self, outputs: Outputs) -> Mapping[str, RecordSums]:
        """See `TextMetric`."""
        from lstmlm.evaluation.summaries import count_repeated

        counts = [count_repeated(text) for text in outputs.texts]
        repeated, trigrams = zip(*counts, strict=True)
        return {"repeated_trigrams": ratio_of(repeated, trigrams, better="lower")}


METRIC = RepeatedTrigrams()
