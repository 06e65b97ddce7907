"""BLEU (Papineni et al. 2002) of sacreBLEU, compared with that of the sources as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from lstmlm.evaluation.metric import Baseline, Outputs, References, TextMetric
from lstmlm.records.sums import RecordSums
from lstmlm.task import Better


def unchanged(sources: Sequence[str], references: References) -> Sequence[str]:
    """Returns the sources."""
    return sources


COPY = Baseline("copy", "the source left as it is", unchanged)


class Bleu(TextMetric):
    """See `lstmlm.evaluation.translation.bleu_metrics`."""

    values: ClassVar[Mapping[str, Better]] = {"bleu": "higher"}
    baseline = COPY

    def measure(self, outputs: Outputs) -> Mapping[str, float | str]:
        """See `TextMetric`."""
        from lstmlm.evaluation.translation import bleu_metrics

        return bleu_metrics(outputs.texts, outputs.references, outputs.language)

    def sums(self, outputs: Outputs) -> Mapping[str, RecordSums]:
        """See `TextMetric`."""
        from lstmlm.evaluation.translation import bleu_sums

        return {"bleu": bleu_sums(outputs.texts, outputs.references, outputs.language)}


METRIC = Bleu()
