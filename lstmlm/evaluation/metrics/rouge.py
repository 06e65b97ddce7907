"""ROUGE (Lin 2004), compared with that of the first words of the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from lstmlm.evaluation.metric import Baseline, Outputs, References, TextMetric
from lstmlm.records.sums import RecordSums, mean_of
from lstmlm.task import Better


def _lead(sources: Sequence[str], references: References) -> Sequence[str]:
    from lstmlm.evaluation.summaries import lead_outputs

    return lead_outputs(sources, references)


class Rouge(TextMetric):
    """See `lstmlm.evaluation.summaries.rouge_metrics`: with the ends of 95% intervals."""

    values: ClassVar[Mapping[str, Better]] = {"rouge_1": "higher", "rouge_2": "higher", "rouge_l": "higher"}
    drawn = tuple(f"{name}_{end}" for name in ("rouge_1", "rouge_2", "rouge_l") for end in ("low", "high"))
    baseline = Baseline("lead", "the first words of the source", _lead)

    def measure(self, outputs: Outputs) -> Mapping[str, float | str]:
        """See `TextMetric`."""
        from lstmlm.evaluation.summaries import rouge_metrics

        return rouge_metrics(outputs.texts, outputs.references, language=outputs.language, seed=outputs.seed)

    def sums(self, outputs: Outputs) -> Mapping[str, RecordSums]:
        """See `TextMetric`."""
        from lstmlm.evaluation.summaries import rouge_scores

        scores = rouge_scores(outputs.texts, outputs.references, language=outputs.language)
        return {name: mean_of(values) for name, values in scores.items()}


METRIC = Rouge()
