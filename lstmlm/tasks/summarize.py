"""Summarisation: the pair model of translation, evaluated by ROUGE, compared with the lead baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from lstmlm.evaluation.metric import baselines_of, values_of
from lstmlm.task import Better
from lstmlm.tasks.translate import Translate


class Summarize(Translate):
    """Learns to say a text in fewer words."""

    hub_name = "summarization"
    metrics: ClassVar[tuple[str, ...]] = ("rouge", "repeated_trigrams")
    output_metrics: ClassVar[Mapping[str, Better]] = values_of(["rouge"])
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = baselines_of(["rouge"])


TASK = Summarize()
