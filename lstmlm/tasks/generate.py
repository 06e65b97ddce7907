"""Text generation: a language model over a stream of records."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.bases.text import TextTask
from lstmlm.records.record import Record
from lstmlm.task import Feature

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import Autoregressive
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.tokenizer import Tokenizer
    from lstmlm.tokenizer.rows import TokenRows


class Generate(TextTask):
    """Learns the text itself; continues a prompt; evaluated by perplexity."""

    has_targets = False
    batch_field = "batch"
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {"perplexity": ("unigram_perplexity", "trigram_perplexity")}

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        names = [
            "perplexity",
            "word_perplexity",
            "word_perplexity_eos",
            "unigram_perplexity",
            "trigram_perplexity",
            "trigram_word_perplexity",
            "tokens",
            "words",
            "records",
        ]
        cached = ["cache_word_perplexity", "cache_word_perplexity_eos"] if recipe.evaluation.cache.size else []
        return [*names, *cached]

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """See `Task.features`."""
        return {"tokens": Feature("tokens")}

    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[dict[str, TokenRows]]:
        """See `Task.encode`: windows of a stream in which *end* closes every record."""
        from lstmlm.examples.pack import pack_stream

        documents = (tokenizer.encode_closed([record.source for record in block]).ids for block in blocks)
        for rows in pack_stream(documents, recipe.examples.window, tokenizer.END):
            counts["examples"] += len(rows)
            counts["tokens"] += rows.tokens - len(rows)  # targets: each window's first id is one of the window before
            yield {"tokens": rows}

    def batches(self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0) -> tf.data.Dataset:
        """See `Task.batches`: `tokens`, int32 [batch, window + 1]; running streams with `training.carry_state`."""
        from lstmlm.examples.dataset import windows
        from lstmlm.examples.streams import streams

        batch, window = recipe.training.batch, recipe.examples.window
        if recipe.training.carry_state:
            return streams(files, batch, window, seed=recipe.seed, epoch=epoch, first=first)
        return windows(files, batch, window, seed=recipe.seed, epoch=epoch).skip(first)

    def full_batches(self, facts: Mapping[str, int], recipe: Recipe) -> int:
        """See `Task.full_batches`: a batch that is not full is left out."""
        plan = recipe.training
        if plan.carry_state:
            return facts["tokens"] // (plan.batch * recipe.examples.window)
        return facts["examples"] // plan.batch

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Autoregressive:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.language_model import LanguageModel, Penalties

        plan = recipe.training
        penalties = Penalties(plan.activation_penalty, plan.temporal_penalty)
        return LanguageModel(recipe.model, vocabulary, recipe.seed, tf.as_dtype(plan.precision), penalties)

    def evaluate(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        """See `Task.evaluate`: perplexity per token and per word, also of a unigram and a Kneser-Ney trigram model."""
        from lstmlm.evaluation.language import evaluate_language

        return evaluate_language(export, records, training, recipe, self)


TASK = Generate()
