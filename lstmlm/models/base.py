"""What every model offers to training and to decoding, and the output layer they share."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import tensorflow as tf

from lstmlm.decoding.search import Options
from lstmlm.models.attention import Memory
from lstmlm.models.lstm import State, product
from lstmlm.models.noise import Noise


class SequenceModel(tf.Module, abc.ABC):
    """A model over token ids."""

    closes_source: bool
    """Whether `decode` expects its ids to be closed by *end*: a whole source text, not the start of one."""

    @abc.abstractmethod
    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the teacher-forced loss.

        Args:
            batch: Feature name -> int32 [batch, time], padded with 0.
            noise: Dropout noise; None at evaluation.
            smoothing: Label smoothing (Szegedy et al. 2016), 0 at evaluation.

        Returns:
            The summed cross-entropy in nats and the number of target tokens, float32 scalars.
        """

    @abc.abstractmethod
    def decode(self, ids: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options) -> tf.Tensor:
        """Decodes one output a row.

        Args:
            ids: int32 [batch, time], padded with 0: prompts, or source texts closed by *end*.
            lengths: int32 [batch].
            seeds: int64 [batch], one seed a row.
            options: How to search.

        Returns:
            int32 [batch, options.max_tokens]: the decoded tokens without *end*, padded with 0.
        """

    @abc.abstractmethod
    def start(self, ids: tf.Tensor, lengths: tf.Tensor) -> tuple[list[State], Memory | None]:
        """Reads what decoding starts from: a source text, or a prompt without its last token.

        Args:
            ids: int32 [records, time], padded with 0.
            lengths: int32 [records]; 0 for a prompt of nothing.

        Returns:
            The first state of every decoder layer, and what the decoder attends to, None for a language model.
        """

    @abc.abstractmethod
    def advance(
        self, tokens: tf.Tensor, states: list[State], memory: Memory | None
    ) -> tuple[tf.Tensor, list[State], tf.Tensor | None]:
        """Takes a step of decoding.

        Args:
            tokens: int32 [rows]; rows / records hypotheses of a record stand side by side.
            states: The states before.
            memory: What `start` gave.

        Returns:
            Logits of the next tokens, float32 [rows, vocabulary], the states after, and the attention to the source,
            float32 [rows, source], None for a language model.
        """

    def named_variables(self) -> dict[str, tf.Variable]:
        """Returns every trainable variable by its unique name, in a fixed order."""
        named = {variable.name.split(":")[0]: variable for variable in self.trainable_variables}
        assert len(named) == len(self.trainable_variables), "variable names must be unique"
        return dict(sorted(named.items()))


class TiedSoftmax(tf.Module):
    """The token embedding, which is the output layer too (Press and Wolf 2017).

    Args:
        vocabulary: Number of tokens.
        width: Width of an embedding.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(self, vocabulary: int, width: int, generator: tf.random.Generator, *, precision: tf.DType) -> None:
        super().__init__(name="embedding")
        self.precision = precision
        table = generator.normal([vocabulary, width], stddev=width**-0.5)
        self.table = tf.Variable(table, name="embedding/table")
        self.bias = tf.Variable(tf.zeros(vocabulary), name="embedding/bias")

    def embed(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns float32 [..., width] for int32 ids [...]."""
        return tf.gather(self.table, ids)

    def logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """Returns float32 [rows, vocabulary] for hidden vectors float32 [rows, width]."""
        return product(hidden, self.table, self.precision, transpose=True) + self.bias

    def loss(self, hidden: tf.Tensor, targets: tf.Tensor, smoothing: float) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the cross-entropy over the targets that are not padding.

        With smoothing e the loss of a token is (1 - e) * -log p(y) + e * mean over v of -log p(v), which equals
        -log p(y) + e * (z_y - mean z): no further pass over the logits z is needed.

        Args:
            hidden: float32 [rows, width].
            targets: int32 [rows], 0 for padding.
            smoothing: e above.

        Returns:
            The sum in nats and the number of targets, float32 scalars.
        """
        kept = tf.where(targets > 0)[:, 0]
        hidden, targets = tf.gather(hidden, kept), tf.gather(targets, kept)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=self.logits(hidden))
        total = tf.reduce_sum(losses)
        if smoothing:
            chosen = tf.reduce_sum(hidden * self.embed(targets), axis=1) + tf.gather(self.bias, targets)
            mean = tf.linalg.matvec(hidden, tf.reduce_mean(self.table, axis=0)) + tf.reduce_mean(self.bias)
            total += smoothing * tf.reduce_sum(chosen - mean)
        return total, tf.cast(tf.size(targets), tf.float32)
