"""Summarisation: the pair model of translation, evaluated by ROUGE, compared with the lead baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.records.record import Record
from lstmlm.task import Better
from lstmlm.tasks.translate import Translate

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


class Summarize(Translate):
    """Learns to say a text in fewer words."""

    hub_name = "summarization"
    output_metrics: ClassVar[Mapping[str, Better]] = {"rouge_1": "higher", "rouge_2": "higher", "rouge_l": "higher"}
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {name: (f"lead_{name}",) for name in output_metrics}

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        scores = [*self.output_metrics, *(f"lead_{name}" for name in self.output_metrics)]
        ends = [f"{name}_{end}" for name in scores for end in ("low", "high")]
        return [*scores, *ends, "repeated_trigrams", "empty_outputs"]

    def evaluate(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        """See `Task.evaluate`: ROUGE-1, -2 and -L with intervals, and the same for the first words of the source."""
        from lstmlm.evaluation.languages import output_language
        from lstmlm.evaluation.pairs import decode_held_out, empty_share
        from lstmlm.evaluation.summaries import summary_metrics

        outputs, references, sources = decode_held_out(export, records, recipe)
        measured = summary_metrics(outputs, references, sources, output_language(recipe), recipe.seed)
        return {**measured, "empty_outputs": empty_share(outputs)}

    def compare(self, outputs: Sequence[str], references: Sequence[Sequence[str]], recipe: Recipe) -> dict[str, Any]:
        """See `TextTask.compare`."""
        from lstmlm.evaluation.languages import output_language
        from lstmlm.evaluation.summaries import rouge_metrics

        return rouge_metrics(outputs, references, language=output_language(recipe))


TASK = Summarize()
