"""The classifier: embedded tokens, bidirectional LSTM layers, and labels of the pooled text or of each word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from lstmlm.models.dense import Dense
from lstmlm.models.encoder import Encoder
from lstmlm.models.labels.labelling import Labelling
from lstmlm.models.labels.names import RATIOS, member_prefix
from lstmlm.models.labels.ngrams import NGrams
from lstmlm.models.labels.pooling import Pooling
from lstmlm.models.noise import Noise, locked_dropout, shared_mask
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.recipe.sections.model import ModelSection

_INPUT_SITE, _ENCODER_SITE, _POOLED_SITE, _WORD_SITE = 0, 100, 300, 900
_SITES = 1000
"""Places of dropout that a member of an ensemble has."""


class Member(tf.Module):
    """One network: what it makes of the tokens of a text.

    Its names are those of `TiedSoftmax` and `Encoder`, so that it can start from language models.
    """

    def __init__(
        self,
        options: LabelOptions,
        sizes: ModelSection,
        vocabulary: int,
        labels: int,
        generator: tf.random.Generator,
        *,
        precision: tf.DType,
        number: int,
    ) -> None:
        prefix = member_prefix(number)
        super().__init__(name=f"member_{number}")
        self.sizes, self.options, self.vocabulary, self._site = sizes, options, vocabulary, number * _SITES
        table = generator.normal([vocabulary, sizes.embedding], stddev=sizes.embedding**-0.5)
        self.table = tf.Variable(table, name=f"{prefix}embedding/table")
        self.encoder = Encoder(
            sizes.embedding,
            sizes,
            generator,
            precision=precision,
            name=f"{prefix}encoder",
            site=self._site + _ENCODER_SITE,
        )
        width = 2 * sizes.encoder_units
        self.pooling = None if options.kind == "tokens" else Pooling(options.pooling, width, generator, prefix)
        width = self.pooling.width if self.pooling else width
        self.output = Dense(width, labels, generator, precision=precision, name=f"{prefix}output")

    def logits(self, tokens: tf.Tensor, first: tf.Tensor | None, noise: Noise | None) -> tf.Tensor:
        """Returns the logits of a text's labels [batch, labels], or of those of each word [batch, words, labels]."""
        lengths = tf.maximum(tf.math.count_nonzero(tokens, axis=1, dtype=tf.int32), 1)
        values, ends = self.encoder(self._embedded(tokens, noise), lengths, noise)
        if self.pooling is not None:
            pooled = self.pooling(values, ends, lengths)
            return self.output(
                locked_dropout(pooled[None], self.options.pooled_dropout, noise, self._site + _POOLED_SITE)[0]
            )
        words = tf.gather(tf.transpose(values, [1, 0, 2]), first, batch_dims=1)
        flat = self.output(tf.reshape(words, [-1, words.shape[-1]]))
        return tf.reshape(flat, [tf.shape(words)[0], tf.shape(words)[1], flat.shape[-1]])

    def _embedded(self, tokens: tf.Tensor, noise: Noise | None) -> tf.Tensor:
        """Returns float32 [time, batch, width], with dropout of words, then of units."""
        sizes, ids = self.sizes, tf.transpose(tokens)
        values = tf.gather(self.table, ids)
        if noise is not None and sizes.embedding_dropout:
            mask = shared_mask([self.vocabulary], sizes.embedding_dropout, noise, self._site + _WORD_SITE)
            values *= tf.gather(mask, ids)[..., None]
        rate = sizes.dropout if sizes.input_dropout is None else sizes.input_dropout
        return locked_dropout(values, rate, noise, self._site + _INPUT_SITE)


class Classifier(Labelling):
    """Gives labels.

    Args:
        options: The recipe's `task_options`.
        sizes: The recipe's `model` section.
        vocabulary: Number of tokens.
        labels: Number of labels.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(
        self, options: LabelOptions, sizes: ModelSection, vocabulary: int, labels: int, seed: int, precision: tf.DType
    ) -> None:
        super().__init__(options.kind, labels, name="classifier")
        generator = tf.random.Generator.from_seed(seed)
        self.members = [
            Member(options, sizes, vocabulary, labels, generator, precision=precision, number=number)
            for number in range(options.members)
        ]
        self.ngrams: NGrams | None = None
        if options.ngrams:
            self.ngrams = NGrams(
                options.ngrams, options.ngram_buckets, labels, options.ngram_dropout, by_ratio=options.ngram_ratios
            )

    def every_logits(self, batch: Mapping[str, tf.Tensor], noise: Noise | None) -> list[tf.Tensor]:
        """See `Labelling.every_logits`."""
        found = [member.logits(batch["tokens"], batch.get("first"), noise) for member in self.members]
        return found if self.ngrams is None else [*found, self.ngrams(batch["tokens"], noise)]

    def prepare(self, batches: Iterable[Mapping[str, tf.Tensor]]) -> None:
        """See `Trainable.prepare`: the ratios of n-grams, where they were not taken over from an earlier model."""
        assert self.ngrams is not None
        assert self.ngrams.ratios is not None
        if self.ngrams.ratios.numpy().any():
            return
        counts = np.zeros(self.ngrams.ratios.shape)
        for batch in batches:
            labels = self.goal(batch, 0.0) * self.weights(batch)[:, None]
            self.ngrams.count(batch["tokens"], labels, counts)
        self.ngrams.settle(counts)

    def fixed(self) -> frozenset[str]:
        """See `Trainable.fixed`."""
        return frozenset() if self.ngrams is None or self.ngrams.ratios is None else frozenset({RATIOS})

    def outputs(self) -> list[tf.Variable]:
        """See `Labelling.outputs`."""
        dense = [part for member in self.members for part in (member.output.kernel, member.output.bias)]
        return dense if self.ngrams is None else [*dense, self.ngrams.table]
