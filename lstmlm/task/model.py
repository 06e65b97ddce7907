"""The part of a task that makes a model and measures it."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.errors import UserError
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums
from lstmlm.task.values import Better, MetricProbe

if TYPE_CHECKING:
    from lstmlm.models.base import Trainable
    from lstmlm.recipe.recipe import Recipe


class ModelSide(abc.ABC):
    """The model, and how well it does."""

    output_metrics: ClassVar[Mapping[str, Better]] = {}
    """Metrics of predictions that training can go by."""

    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Metric -> those of models that learn nothing or little, which it should be better than."""

    @abc.abstractmethod
    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Trainable:
        """Returns the untrained model; its initial weights are a pure function of recipe.seed.

        Args:
            recipe: The run.
            vocabulary: Tokens of the vocabulary; 0 without one.
            labels: The labels of the train split, in the order of their numbers.
        """

    def training_metrics(self, recipe: Recipe) -> Mapping[str, Better]:
        """Returns the metrics of predictions that `training.metric` may name, and which value of each is better."""
        return self.output_metrics

    @abc.abstractmethod
    def measured(self, recipe: Recipe) -> Sequence[str]:
        """Returns the metrics that `evaluate` measures, so that a threshold on another is refused before the run."""

    @abc.abstractmethod
    def evaluate(
        self, export: Path, records: Sequence[Record], training: Path | None, recipe: Recipe
    ) -> dict[str, Any]:
        """Measures a published model on held-out records.

        Args:
            export: The export folder (see `lstmlm.export`).
            records: The valid split.
            training: Folder with the train split's record shards, for baselines that need it; None: they are left out.
            recipe: The run.

        Returns:
            Metric name -> number, or text for what is not a number (a metric's signature); a mapping is a table, which
            is published next to the metrics.
        """

    def record_sums(self, export: Path, records: Sequence[Record], recipe: Recipe) -> Mapping[str, RecordSums]:
        """Measures a published model record by record, so that two models can be compared by samples of the records.

        Returns:
            Metric -> what it is computed from; only metrics that are computed from sums over records. The records are
            the same for every model, whatever it predicts.

        Raises:
            UserError: The task has no such metrics.
        """
        what = f"models of task {recipe.task} have no metrics by record"
        raise UserError(what, where="task", hint="Use `lstmlm evaluate` for each of them")

    def report(self, measured: Mapping[str, Any], folder: Path, recipe: Recipe) -> None:  # noqa: B027
        """Writes what the evaluation publishes next to `metrics.json`, such as a picture.

        Args:
            measured: What `evaluate` returned.
            folder: The folder to write to.
            recipe: The run.
        """

    def output_metric_probe(
        self, recipe: Recipe, files: Sequence[Path], tokenizer: Path, model: Any, group: Any
    ) -> MetricProbe:
        """Returns what measures `output_metrics` during training, and the one that `training.metric` names.

        Args:
            recipe: The run.
            files: The valid split's examples.
            tokenizer: The tokenizer folder.
            model: The model, used with the weights it has at the time.
            group: The workers, a `lstmlm.training.workers.all_reduce.AllReduce`.
        """
        raise NotImplementedError(f"{type(self).__name__} has output_metrics and does not measure them")
