"""chrF (Popović 2015) of sacreBLEU, compared with that of the sources as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from lstmlm.evaluation.metric import Outputs, TextMetric
from lstmlm.evaluation.metrics.bleu import COPY
from lstmlm.records.sums import RecordSums
from lstmlm.task import Better


class Chrf(TextMetric):
    """See `lstmlm.evaluation.translation.chrf_metrics`."""

    values: ClassVar[Mapping[str, Better]] = {"chrf": "higher"}
    baseline = COPY

    def measure(self, outputs: Outputs) -> Mapping[str, float | str]:
        """See `TextMetric`."""
        from lstmlm.evaluation.translation import chrf_metrics

        return chrf_metrics(outputs.texts, outputs.references)

    def sums(self, outputs: Outputs) -> Mapping[str, RecordSums]:
        """See `TextMetric`."""
        from lstmlm.evaluation.translation import chrf_sums

        return {"chrf": chrf_sums(outputs.texts, outputs.references)}


METRIC = Chrf()
