"""The reader: an extractive question answering model of the DrQA family (Chen et al. 2017).

A bidirectional LSTM reads question and passage (one for both, so that it can come from language models). A token of the
passage then is its embedding, what was read there, the embedding of the question's tokens that it aligns with, how it
matches the question (`lstmlm.models.reader.matches`), and the question's own vector. Bidirectional LSTM layers read
these; the question's vector, by self attention, scores starts and ends by a bilinear form. Unlike in DrQA, spans are
normalised together (over start and end), as Lee et al. 2016 found better, and a right answer is any of the given ones.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from lstmlm.models.base import OnePass
from lstmlm.models.dense import Dense
from lstmlm.models.encoder import Encoder
from lstmlm.models.noise import Noise, locked_dropout, shared_mask
from lstmlm.models.reader.matches import Matches
from lstmlm.models.reader.names import IMPOSSIBLE, WIDTH
from lstmlm.models.reader.shapes import Shape
from lstmlm.models.reader.spans import Spans, best_span, gold_nats, span_logits
from lstmlm.recipe.sections.model import ModelSection

EMBEDDING_DEVIATION = 0.1
"""Of the initial embedding: small, so that tokens that were never learnt say little."""
TEMPERATURES = np.geomspace(0.25, 8.0, 31).astype(np.float32)
"""Those that are tried."""
CALIBRATION_BATCHES = 16
EMBEDDING_SITE, INPUT_SITE, READER_SITE = 0, 10, 300


class Reader(OnePass):
    """Scores the spans of a passage as answers to a question.

    Args:
        sizes: The recipe's `model` section: `embedding`, `encoder_layers` of `encoder_units`, `layers` of `units`.
        vocabulary: Number of tokens.
        longest: Tokens of an answer at most.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(self, sizes: ModelSection, vocabulary: int, longest: int, seed: int, precision: tf.DType) -> None:
        super().__init__(name="reader")
        self.sizes, self.vocabulary, self.precision = sizes, vocabulary, precision
        generator = tf.random.Generator.from_seed(seed)
        width, read, units = sizes.embedding, 2 * sizes.encoder_units, 2 * sizes.units
        table = generator.normal([vocabulary, width], stddev=EMBEDDING_DEVIATION)
        self.table = tf.Variable(table, name="embedding/table")
        self.encoder = Encoder(width, sizes, generator, precision=precision)
        self.aligning = Dense(width, width, generator, precision=precision, name="aligning")
        self.matches = Matches(width, vocabulary)
        self.weighing = Dense(read, 1, generator, precision=precision, name="weighing")
        self.asking = Dense(read, sizes.units, generator, precision=precision, name="asking")
        wide = width + read + width + WIDTH + sizes.units
        self.joining = Dense(wide, units, generator, precision=precision, name="joining")
        modelling = sizes.model_copy(update={"encoder_units": sizes.units, "encoder_layers": sizes.layers})
        self.modelling = Encoder(units, modelling, generator, precision=precision, name="reader", site=READER_SITE)
        self.start = Dense(read, units + WIDTH, generator, precision=precision, name="start")
        self.end = Dense(read, units + WIDTH, generator, precision=precision, name="end")
        self.length = tf.Variable(tf.zeros([longest]), name="length")
        self.temperature = tf.Variable(0.0, name="temperature")  # its logarithm
        self.none = Dense(read + units, 1, generator, precision=precision, name="none")

    def scores(self, batch: Mapping[str, tf.Tensor], noise: Noise | None) -> Spans:
        """Returns the scores of spans of tokens; see `loss` for the batch."""
        passage, question = batch["passage"], batch["question"]
        in_passage, in_question = passage > 0, question > 0
        passage_words, passage_read = self._read(passage, noise, 0)
        question_words, question_read = self._read(question, noise, 1)

        importance = self.matches.importance(question, question_words)
        features = self.matches(batch, importance)
        aligned = self._aligned(passage_words, question_words, in_question)
        weights = _masked(tf.squeeze(self._over(self.weighing, question_read), 2), in_question)
        asked = tf.squeeze(tf.matmul(tf.nn.softmax(weights)[:, None, :], question_read), 1)
        about = tf.tanh(self.asking(asked))
        about = tf.tile(about[:, None, :], [1, tf.shape(passage)[1], 1])

        values = tf.concat([passage_words, passage_read, aligned, features, about], axis=2)
        values = tf.nn.relu(self._over(self.joining, values))
        values = locked_dropout(tf.transpose(values, [1, 0, 2]), self.sizes.dropout, noise, INPUT_SITE + 2)
        read, _ = self.modelling(values, _lengths(passage), noise)
        read = tf.concat([tf.transpose(read, [1, 0, 2]), features], axis=2)
        possible = in_passage & (tf.bitwise.bitwise_and(batch["passage_shape"], Shape.NOTHING) == 0)
        start, end = (
            _masked(tf.squeeze(tf.matmul(read, side(asked)[:, :, None]), 2), possible)
            for side in (self.start, self.end)
        )
        most = tf.reduce_max(read[..., :-WIDTH] + tf.where(in_passage, 0.0, IMPOSSIBLE)[..., None], axis=1)
        none = tf.squeeze(self.none(tf.concat([asked, most], axis=1)), 1)
        return Spans(span_logits(start, end, self.length), none)

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Trainable.loss`.

        Args:
            batch: `passage` and `question`, each with `_form` and `_stem`, and `passage_shape`, int32 [batch, time];
                `starts` and `ends`, the first and last token of each right answer, int32 [batch, answers], with
                `starts_length`; `is_example`.
            noise: See `Trainable.loss`.
            smoothing: Not used: the right answers share the probability as the model likes.
        """
        nats = gold_nats(self.scores(batch, noise), batch["starts"], batch["ends"], batch["starts_length"])
        # The temperature is fitted by `published`: here it has a gradient of 0.
        nats += 0.0 * self.temperature
        return tf.reduce_sum(nats * tf.cast(batch["is_example"], tf.float32)), self.weight(batch)

    def weight(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Trainable.weight`: the number of examples."""
        return tf.reduce_sum(tf.cast(batch["is_example"], tf.float32))

    def predict(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """See `OnePass.predict`.

        Args:
            batch: See `loss`; with `own_first` and `own_behind`, int32 [batch], an answer begins with a token from the
                first one on, before the other.

        Returns:
            What `lstmlm.models.reader.spans.Best` holds; `odds` and `mass` at the fitted temperature.
        """
        spans = self.scores(batch, None)
        if "own_first" in batch:
            token = tf.range(tf.shape(batch["passage"])[1])
            own = (token >= batch["own_first"][:, None]) & (token < batch["own_behind"][:, None])
            spans = Spans(_masked(spans.logits, own[..., None]), spans.none)
        return best_span(spans.divided(tf.exp(self.temperature)))._asdict()

    @contextlib.contextmanager
    def published(self, held_out: Sequence[Mapping[str, tf.Tensor]]) -> Iterator[dict[str, float]]:
        """See `Trainable.published`: fits the temperature of the probabilities (Guo et al. 2017)."""
        batches = [dict(batch) for batch in held_out[:CALIBRATION_BATCHES]]
        nats = sum((self._tempered(batch).numpy() for batch in batches), np.zeros(len(TEMPERATURES), np.float32))
        self.temperature.assign(np.log(TEMPERATURES[int(nats.argmin())]))
        try:
            yield {"temperature": float(np.exp(self.temperature.numpy()))}
        finally:
            self.temperature.assign(0.0)

    @tf.function(reduce_retracing=True)
    def _tempered(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the loss of a batch at each of `TEMPERATURES`, float32 [temperatures]."""
        spans = self.scores(batch, None)
        right = batch["starts"], batch["ends"], batch["starts_length"]
        weight = tf.cast(batch["is_example"], tf.float32)
        return tf.stack([tf.reduce_sum(weight * gold_nats(spans.divided(by), *right)) for by in TEMPERATURES])

    def _read(self, ids: tf.Tensor, noise: Noise | None, site: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns embedded tokens and what the encoder made of them, float32 [batch, time, ...] each."""
        embedded = tf.gather(self.table, tf.transpose(ids))
        rate = self.sizes.embedding_dropout
        if noise is not None and rate > 0.0:
            mask = shared_mask([self.vocabulary], rate, noise, EMBEDDING_SITE)
            embedded *= tf.gather(mask, tf.transpose(ids))[..., None]
        embedded = locked_dropout(embedded, self._input_dropout, noise, INPUT_SITE + site)
        read, _ = self.encoder(embedded, _lengths(ids), noise)
        return tf.transpose(embedded, [1, 0, 2]), tf.transpose(read, [1, 0, 2])

    @property
    def _input_dropout(self) -> float:
        return self.sizes.dropout if self.sizes.input_dropout is None else self.sizes.input_dropout

    def _aligned(self, passage: tf.Tensor, question: tf.Tensor, in_question: tf.Tensor) -> tf.Tensor:
        """Returns for each token of the passage the mean embedding of the question's tokens that it aligns with."""
        left, right = (tf.nn.relu(self._over(self.aligning, side)) for side in (passage, question))
        scores = tf.matmul(left, right, transpose_b=True)
        weights = tf.nn.softmax(_masked(scores, in_question[:, None, :]))
        return tf.matmul(weights, question)

    def _over(self, layer: Dense, values: tf.Tensor) -> tf.Tensor:
        """Applies a layer to float32 [batch, time, width]."""
        shape = tf.shape(values)
        flat = layer(tf.reshape(values, [-1, values.shape[2]]))
        return tf.reshape(flat, [shape[0], shape[1], flat.shape[1]])


def _masked(scores: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    return tf.where(there, scores, IMPOSSIBLE)


def _lengths(ids: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(ids, axis=1, dtype=tf.int32)
