"""Translation: a pair model, evaluated by BLEU and chrF, compared with the sources as they are."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.bases.text import TextTask
from lstmlm.evaluation.metric import Outputs, baselines_of, measure_texts, text_metric, values_of, with_baselines
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums
from lstmlm.task import WHOLE, Better, Feature, Share

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import Autoregressive
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.tokenizer import Tokenizer
    from lstmlm.tokenizer.rows import TokenRows


class Translate(TextTask):
    """Learns to turn a source text into a target text."""

    hub_name = "translation"
    has_targets = True
    metrics: ClassVar[tuple[str, ...]] = ("bleu", "chrf")
    """Names of the metrics of outputs, next to those that a recipe adds; see `lstmlm.evaluation.metric`."""
    output_metrics: ClassVar[Mapping[str, Better]] = values_of(metrics)
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = baselines_of(metrics)

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        return [*with_baselines(self._metrics(recipe)), "empty_outputs"]

    def training_metrics(self, recipe: Recipe) -> Mapping[str, Better]:
        """See `Task.training_metrics`: its own, and those that the recipe adds."""
        return {**self.output_metrics, **values_of(recipe.evaluation.metrics)}

    def _metrics(self, recipe: Recipe) -> list[str]:
        return list(dict.fromkeys([*self.metrics, *recipe.evaluation.metrics]))

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """See `Task.features`."""
        return {"source": Feature("tokens"), "target": Feature("tokens")}

    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[dict[str, TokenRows]]:
        """See `Task.encode`: one example for every target of a record."""
        from lstmlm.examples.pack import cut_pairs

        sizes = recipe.examples
        for block in blocks:
            sources = tokenizer.encode_closed([record.source for record in block])
            targets = tokenizer.encode_closed([target for record in block for target in record.targets])
            times = [len(record.targets) for record in block]
            pairs = cut_pairs(sources, targets, times, sizes.max_source, sizes.max_target, counts)
            counts["examples"] += len(targets)
            counts["tokens"] += pairs["source"].tokens + pairs["target"].tokens
            yield pairs

    def batches(
        self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0, share: Share = WHOLE
    ) -> tf.data.Dataset:
        """See `Task.batches`: `source` and `target`, padded to their bucket."""
        from lstmlm.examples.dataset import pairs

        size, seed = recipe.training.batch_tokens, recipe.seed
        return pairs(files, size, _buckets(recipe), seed=seed, epoch=epoch, first=first, share=share)

    def most_rows(self, recipe: Recipe) -> int:
        """See `Task.most_rows`: those of the shortest texts."""
        from lstmlm.examples.plan import bucket_rows

        return bucket_rows(recipe.training.batch_tokens, _buckets(recipe)[0])

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Autoregressive:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.seq2seq import Seq2Seq

        plan = recipe.training
        return Seq2Seq(recipe.model, vocabulary, recipe.seed, tf.as_dtype(plan.precision), plan.coverage_loss)

    def evaluate(
        self, export: Path, records: Sequence[Record], training: Path | None, recipe: Recipe
    ) -> dict[str, Any]:
        """See `Task.evaluate`: the metrics of the outputs, and those of what each is compared with."""
        from lstmlm.evaluation.pairs import empty_share

        outputs = self._decoded(export, records, recipe)
        return {**measure_texts(self._metrics(recipe), outputs), "empty_outputs": empty_share(outputs.texts)}

    def record_sums(self, export: Path, records: Sequence[Record], recipe: Recipe) -> Mapping[str, RecordSums]:
        """See `Task.record_sums`: those of the metrics that are computed from sums."""
        outputs = self._decoded(export, records, recipe)
        return {
            name: sums for metric in self._metrics(recipe) for name, sums in text_metric(metric).sums(outputs).items()
        }

    def _decoded(self, export: Path, records: Sequence[Record], recipe: Recipe) -> Outputs:
        from lstmlm.evaluation.languages import output_language
        from lstmlm.evaluation.pairs import decode_held_out

        texts, references, sources = decode_held_out(export, records, recipe)
        return Outputs(texts, references, sources, output_language(recipe), recipe.seed)

    def compare(
        self, outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str], recipe: Recipe
    ) -> dict[str, Any]:
        """See `TextTask.compare`: of the metrics that a recipe adds, only the one that training goes by."""
        from lstmlm.evaluation.languages import output_language

        written = Outputs(outputs, references, sources, output_language(recipe))
        added = [name for name in recipe.evaluation.metrics if recipe.training.metric in text_metric(name).values]
        return measure_texts(dict.fromkeys([*self.metrics, *added]), written, baselines=False)


def _buckets(recipe: Recipe) -> Sequence[int]:
    sizes = recipe.examples
    longest = max(sizes.max_source, sizes.max_target)
    return (*(bucket for bucket in sizes.buckets if bucket < longest), longest)


TASK = Translate()
