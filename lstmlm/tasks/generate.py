"""Text generation: a language model over a stream of records."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lstmlm.bases.text import TextTask
from lstmlm.errors import UserError
from lstmlm.recipe.sections.section import Section
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums
from lstmlm.task import WHOLE, Feature, Share

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import Autoregressive
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.tokenizer import Tokenizer
    from lstmlm.tokenizer.rows import TokenRows


class GenerateOptions(Section):
    """The recipe's `task_options`."""

    direction: Literal["forward", "backward"] = Field(
        "forward",
        description="`backward` reads every text from its end and writes what comes before a prompt: the other half "
        "of a bidirectional encoder (`training.initial.backward`).",
    )


class Generate(TextTask):
    """Learns the text itself; continues a prompt; evaluated by perplexity."""

    Options = GenerateOptions
    hub_name = "text-generation"
    has_targets = False
    batch_field = "batch"
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {"perplexity": ("unigram_perplexity", "trigram_perplexity")}

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        from lstmlm.evaluation.judge.metrics import METRICS

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
        return [*names, *cached, *(METRICS if recipe.evaluation.judge.measured else ())]

    def reads_backward(self, recipe: Recipe) -> bool:
        """See `TextTask.reads_backward`."""
        return bool(getattr(recipe.task_options, "direction", "forward") == "backward")

    def check_recipe(self, recipe: Recipe) -> None:
        """See `Task.check_recipe`: phrases are found in the order that a text is read in, which backward is not."""
        super().check_recipe(recipe)
        if not self.reads_backward(recipe):
            return
        for section in ("decoding", "inference"):
            for name in ("forced", "forbidden"):
                if getattr(getattr(recipe, section), name):
                    what = "a model that reads backward cannot be held to phrases"
                    hint = "Leave it out, or set task_options.direction"
                    raise UserError(what, where=f"{section}.{name}", hint=hint)

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
        from lstmlm.tokenizer.backward import reversed_rows

        def read(block: Sequence[Record]) -> TokenRows:
            rows = tokenizer.encode_closed([record.source for record in block])
            return reversed_rows(rows) if self.reads_backward(recipe) else rows

        documents = (read(block).ids for block in blocks)
        for rows in pack_stream(documents, recipe.examples.window, tokenizer.END):
            counts["examples"] += len(rows)
            counts["tokens"] += rows.tokens - len(rows)  # targets: each window's first id is one of the window before
            yield {"tokens": rows}

    def batches(
        self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0, share: Share = WHOLE
    ) -> tf.data.Dataset:
        """See `Task.batches`: `tokens`, int32 [batch, window + 1]; running streams with `training.carry_state`."""
        from lstmlm.examples.dataset import windows
        from lstmlm.examples.streams import streams

        batch, window = recipe.training.batch, recipe.examples.window
        if recipe.training.carry_state:
            return streams(files, batch, window, seed=recipe.seed, epoch=epoch, first=first, share=share)
        return windows(files, batch, window, seed=recipe.seed, epoch=epoch, first=first, share=share)

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

    def evaluate(
        self, export: Path, records: Sequence[Record], training: Path | None, recipe: Recipe
    ) -> dict[str, Any]:
        """See `Task.evaluate`: perplexity per token and per word, also of a unigram and a Kneser-Ney trigram model."""
        from lstmlm.evaluation.judge.run import measure
        from lstmlm.evaluation.language import evaluate_language

        found = evaluate_language(export, records, training, recipe, self, backward=self.reads_backward(recipe))
        if recipe.evaluation.judge.measured:
            found |= measure(export, records, recipe, self).metrics()
        return found

    def record_sums(self, export: Path, records: Sequence[Record], recipe: Recipe) -> Mapping[str, RecordSums]:
        """See `Task.record_sums`: perplexity per token, of models with one vocabulary, and per word."""
        from lstmlm.evaluation.language import record_nats
        from lstmlm.evaluation.perplexity import perplexity

        rows = record_nats(export, records, recipe, self, backward=self.reads_backward(recipe))
        return {
            "perplexity": RecordSums(rows, lambda sums: perplexity(sums[0], sums[1]), "lower", same=(1,)),
            "word_perplexity": RecordSums(rows, lambda sums: perplexity(sums[0], sums[2]), "lower"),
        }


TASK = Generate()
