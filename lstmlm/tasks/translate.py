"""Translation: a pair model, evaluated by BLEU and chrF."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.bases.text import TextTask
from lstmlm.records.record import Record
from lstmlm.task import Better, Feature

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
    output_metrics: ClassVar[Mapping[str, Better]] = {"bleu": "higher", "chrf": "higher"}
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {"bleu": ("copy_bleu",), "chrf": ("copy_chrf",)}

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        return ["bleu", "chrf", "copy_bleu", "copy_chrf", "empty_outputs"]

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

    def batches(self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0) -> tf.data.Dataset:
        """See `Task.batches`: `source` and `target`, padded to their bucket."""
        from lstmlm.examples.dataset import pairs

        sizes = recipe.examples
        longest = max(sizes.max_source, sizes.max_target)
        buckets = (*(bucket for bucket in sizes.buckets if bucket < longest), longest)
        return pairs(files, recipe.training.batch_tokens, buckets, seed=recipe.seed, epoch=epoch).skip(first)

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Autoregressive:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.seq2seq import Seq2Seq

        plan = recipe.training
        return Seq2Seq(recipe.model, vocabulary, recipe.seed, tf.as_dtype(plan.precision), plan.coverage_loss)

    def evaluate(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        """See `Task.evaluate`: sacreBLEU and chrF with every accepted translation as a reference.

        `copy_bleu` and `copy_chrf` are those of the source, unchanged, as the output.
        """
        from lstmlm.evaluation.pairs import decode_held_out, empty_share

        outputs, references, sources = decode_held_out(export, records, recipe)
        unchanged = self.compare(sources, references, recipe)
        copied = {f"copy_{name}": unchanged[name] for name in ("bleu", "chrf")}
        return {**self.compare(outputs, references, recipe), **copied, "empty_outputs": empty_share(outputs)}

    def compare(self, outputs: Sequence[str], references: Sequence[Sequence[str]], recipe: Recipe) -> dict[str, Any]:
        """See `TextTask.compare`."""
        from lstmlm.evaluation.languages import output_language
        from lstmlm.evaluation.translation import translation_metrics

        return translation_metrics(outputs, references, output_language(recipe))


TASK = Translate()
