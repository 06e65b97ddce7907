"""Summarisation: the pair model of translation, judged by ROUGE beside the lead baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.records import Record
from lstmlm.tasks.translate import Translate

if TYPE_CHECKING:
    from lstmlm.recipe import Recipe


class Summarize(Translate):
    """Learns to say a text in fewer words."""

    def judge(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        """See `Task.judge`: ROUGE-1, -2 and -L, and the same for the first words of the source."""
        from lstmlm.evaluation.pairs import judge_pairs
        from lstmlm.evaluation.summaries import summary_metrics

        outputs, references, sources = judge_pairs(export, records, recipe)
        return summary_metrics(outputs, references, sources)


TASK = Summarize()
