"""Translation: a pair model, judged by BLEU and chrF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.records import Record
from lstmlm.task import Task

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import SequenceModel
    from lstmlm.recipe import Recipe
    from lstmlm.tokenizer import Tokenizer


class Translate(Task):
    """Learns to turn a source text into a target text."""

    has_targets = True

    def encode(
        self, records: Sequence[Record], tokenizer: Tokenizer, recipe: Recipe, counts: dict[str, int]
    ) -> Iterator[dict[str, list[int]]]:
        """See `Task.encode`: one example for every target of a record."""
        from lstmlm.examples.pack import encode_pair

        sources = tokenizer.encode_batch([record.source for record in records])
        for record, source in zip(records, sources, strict=True):
            for target in tokenizer.encode_batch(list(record.targets)):
                pair = encode_pair(source, target, recipe.examples.max_source, recipe.examples.max_target, counts)
                counts["examples"] = counts.get("examples", 0) + 1
                counts["tokens"] = counts.get("tokens", 0) + len(pair["source"]) + len(pair["target"])
                yield pair

    def batches(self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0) -> tf.data.Dataset:
        """See `Task.batches`: `source` and `target`, padded to their bucket."""
        from lstmlm.examples.dataset import pairs

        sizes = recipe.examples
        longest = max(sizes.max_source, sizes.max_target)
        buckets = (*(bucket for bucket in sizes.buckets if bucket < longest), longest)
        return pairs(files, recipe.training.batch_tokens, buckets, seed=recipe.seed, epoch=epoch).skip(first)

    def build(self, recipe: Recipe, vocabulary: int) -> SequenceModel:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.seq2seq import Seq2Seq

        return Seq2Seq(recipe.model, vocabulary, recipe.seed, tf.as_dtype(recipe.training.precision))

    def judge(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        """See `Task.judge`: sacreBLEU and chrF with every accepted translation as a reference."""
        from lstmlm.evaluation.pairs import judge_pairs
        from lstmlm.evaluation.translation import translation_metrics

        outputs, references, _ = judge_pairs(export, records, recipe)
        return translation_metrics(outputs, references)


TASK = Translate()
