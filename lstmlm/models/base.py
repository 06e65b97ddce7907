"""The interfaces of models: for training, for decoding token by token, and for predicting in one pass."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import tensorflow as tf

from lstmlm.models.attention import Memory
from lstmlm.models.graph_search import Options
from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise
from lstmlm.models.parts import Part, part_of


class Trainable(tf.Module, abc.ABC):
    """A model that can be trained: it has a loss, and says what a batch weighs in it."""

    @abc.abstractmethod
    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the loss of a batch, or of some of its rows.

        Args:
            batch: Feature name -> int32 or float32 [batch, ...], padded with 0; rows of padding only weigh nothing.
            noise: Dropout noise; None at evaluation.
            smoothing: Label smoothing (Szegedy et al. 2016), 0 at evaluation.

        Returns:
            The summed loss (of a cross-entropy in nats) and its weight, float32 scalars. The weight is that of
            `weight`: what the sum is divided by, such as the number of target tokens or of labels.
        """

    @abc.abstractmethod
    def weight(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the weight of a batch in the mean loss, a float32 scalar, without computing the loss."""

    def zero_state(self, batch: tf.Tensor) -> list[State]:
        """Returns the state at the beginning of `batch` streams; empty for a model that carries none."""
        return []

    def carried_loss(
        self, batch: Mapping[str, tf.Tensor], states: list[State], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        """Computes the loss of the next window of running streams.

        Args:
            batch: See `loss`.
            states: The states after the window before, or `zero_state`.
            noise: See `loss`.
            smoothing: See `loss`.

        Returns:
            See `loss`; and the states after the window, which no gradient leaves.
        """
        return (*self.loss(batch, noise=noise, smoothing=smoothing), states)

    @contextlib.contextmanager
    def published(self, held_out: Sequence[Mapping[str, tf.Tensor]]) -> Iterator[dict[str, float]]:
        """Within it the weights are those to be measured and kept; training continues with what they were before.

        For a model that fits something else than its loss on held-out batches, such as a temperature.

        Args:
            held_out: Batches of the valid split, the same on every worker.

        Yields:
            What was fitted, by name.
        """
        yield {}

    def prepare(self, batches: Iterable[Mapping[str, tf.Tensor]]) -> None:
        """Takes from the training examples what the model has to know before its first step; else nothing.

        Every worker calls it with the same batches.

        Args:
            batches: All examples of the train split once, read as they are asked for.
        """

    def fixed(self) -> frozenset[str]:
        """Returns the names of variables that do not learn: what `prepare` finds out. Without any, it is not called."""
        return frozenset()

    def named_variables(self) -> dict[str, tf.Variable]:
        """Returns every variable of the model by its unique name, in a fixed order."""
        named = {variable.name.split(":")[0]: variable for variable in self.trainable_variables}
        assert len(named) == len(self.trainable_variables), "variable names must be unique"
        return dict(sorted(named.items()))

    def parts(self) -> dict[str, Part]:
        """Returns what each variable is that another network can start from or be started from; see `part_of`."""
        found = {name: part_of(name) for name in self.named_variables()}
        return {name: part for name, part in found.items() if part is not None}


class OnePass(Trainable):
    """A model that predicts all at once: a label, a label per token, a span, or a score per frame."""

    @abc.abstractmethod
    def predict(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Predicts.

        Args:
            batch: The features that `loss` takes, but those it learns to predict.

        Returns:
            Name -> [batch, ...]; a row depends on its own features only.
        """


class Autoregressive(Trainable):
    """A model that predicts token after token."""

    closes_source: bool
    """Whether `decode` expects its ids to be closed by *end*: a whole source text, not the start of one."""

    copies: bool = False
    """Whether it copies from the source: `start` puts the source tokens into the memory."""

    covers: bool = False
    """Whether it has coverage: `start` puts an empty one into the memory, and `advance` reads it there."""

    @abc.abstractmethod
    def targets(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns what `loss` is summed over: the ids to be predicted, int32 [batch, time], 0 for padding."""

    def weight(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Trainable.weight`: the number of target tokens."""
        return tf.math.count_nonzero(self.targets(batch), dtype=tf.float32)

    @abc.abstractmethod
    def decode(self, ids: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options) -> tf.Tensor:
        """Decodes one output per row.

        Args:
            ids: int32 [batch, time], padded with 0: prompts, or source texts closed by *end*.
            lengths: int32 [batch].
            seeds: int64 [batch], one seed per row.
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
            tokens: int32 [rows]; rows / records hypotheses of a record are adjacent.
            states: The states before.
            memory: What `start` gave; a model with coverage finds in it the attention of the steps before, summed.

        Returns:
            Logits of the next tokens, float32 [rows, vocabulary], the states after, and the attention to the source,
            float32 [rows, source], None for a language model.
        """
