"""The engine's backend on TensorFlow: float32 or bfloat16, on the processor or a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from lstmlm.decoding.backend import Floats, Ints, Rows
from lstmlm.decoding.constraints.constraints import NEVER
from lstmlm.models.attention import Memory, padding_bias
from lstmlm.models.lstm import State
from lstmlm.tokenizer.special import PAD

if TYPE_CHECKING:
    from lstmlm.models.base import Autoregressive

Tensors = list[tf.Tensor]


class TensorFlowBackend:
    """See `Backend`; the states and the memory stay on the device.

    Args:
        network: The model, whose precision is that of the matrix products.
        vocabulary: Number of tokens.
    """

    failures: tuple[type[Exception], ...] = (tf.errors.OpError,)

    def __init__(self, network: Autoregressive, vocabulary: int) -> None:
        self._network, self.vocabulary = network, vocabulary
        self.closes_source = network.closes_source
        # Keys, values and, for a model that copies, the source.
        self.source_axes: Sequence[int] = [1] * (2 + network.copies) if self.closes_source else []
        # A shape of its own for every number of source tokens would be traced anew.
        self._start = tf.function(self._read, reduce_retracing=True)
        self._greedy = tf.function(self._most_likely, reduce_retracing=True)
        self._best = tf.function(self._most_likely_ones, reduce_retracing=True)
        self._logits = tf.function(self._all, reduce_retracing=True)
        self._scored = tf.function(self._given, reduce_retracing=True)

    def encode(self, ids: Ints, lengths: Ints) -> Rows:
        """See `Backend`."""
        state, memory = self._start(tf.constant(ids, tf.int32), tf.constant(lengths, tf.int32))
        return Rows(list(state), list(memory), lengths, int(self._network.covers))

    def most_likely(self, rows: Rows, tokens: Ints) -> Ints:
        """See `Backend`."""
        chosen, rows.state = self._greedy(*self._arguments(rows, tokens))
        return chosen.numpy()

    def best(self, rows: Rows, tokens: Ints, count: int) -> tuple[Floats, Ints, Floats | None]:
        """See `Backend`."""
        scores, ids, rows.state, attention = self._best(*self._arguments(rows, tokens), tf.constant(count))
        return scores.numpy(), ids.numpy().astype(np.int64), None if attention is None else attention.numpy()

    def logits(self, rows: Rows, tokens: Ints) -> tuple[Floats, Floats | None]:
        """See `Backend`."""
        logits, rows.state, attention = self._logits(*self._arguments(rows, tokens))
        found = logits.numpy().copy()  # what TensorFlow gives cannot be written to
        found[:, PAD] = NEVER
        return found, None if attention is None else attention.numpy()

    def score(self, rows: Rows, tokens: Ints, targets: Ints) -> Floats:
        """See `Backend`."""
        found, rows.state = self._scored(*self._arguments(rows, tokens), tf.constant(targets, tf.int32))
        return found.numpy()

    def take(self, array: tf.Tensor, rows: Ints) -> tf.Tensor:
        """See `Backend`."""
        return tf.gather(array, rows)

    def put(self, array: tf.Tensor, rows: Ints, values: tf.Tensor) -> tf.Tensor:
        """See `Backend`."""
        widths = [[0, 0], *([0, size - now] for size, now in zip(array.shape[1:], values.shape[1:], strict=True))]
        return tf.tensor_scatter_nd_update(array, rows[:, None], tf.pad(values, widths))

    def resize(self, array: tf.Tensor, axis: int, size: int) -> tf.Tensor:
        """See `Backend`."""
        more = max(0, size - array.shape[axis])
        padded = tf.pad(array, [[0, more if n == axis else 0] for n in range(len(array.shape))])
        return padded[tuple(slice(size) if n == axis else slice(None) for n in range(len(array.shape)))]

    @staticmethod
    def _arguments(rows: Rows, tokens: Ints) -> tuple[Any, ...]:
        return tf.constant(tokens, tf.int32), rows.state, rows.memory, tf.constant(rows.lengths, tf.int32)

    def _read(self, ids: tf.Tensor, lengths: tf.Tensor) -> tuple[Tensors, Tensors]:
        states, memory = self._network.start(ids, lengths)
        arrays = [] if memory is None else [memory.keys, memory.values]
        carried = [part for state in states for part in state]
        if memory is not None and memory.source is not None:
            arrays.append(memory.source)
        if memory is not None and memory.coverage is not None:
            carried.append(memory.coverage)
        return carried, arrays

    def _all(
        self, tokens: tf.Tensor, state: Tensors, memory: Tensors, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, Tensors, tf.Tensor | None]:
        layers, coverage = (state[:-1], state[-1]) if self._network.covers else (state, None)
        states = [State(h, c) for h, c in zip(layers[::2], layers[1::2], strict=True)]
        attended = None
        if memory:
            keys, values, *source = memory
            bias = padding_bias(lengths, tf.shape(keys)[1])
            attended = Memory(keys, values, bias, source[0] if source else None, coverage)
        logits, after, attention = self._network.advance(tokens, states, attended)
        carried = [part for state in after for part in state]
        return logits, carried if coverage is None else [*carried, coverage + attention], attention

    def _most_likely(self, *arguments: Any) -> tuple[tf.Tensor, Tensors]:
        logits, state, _ = self._all(*arguments)
        return tf.argmax(_without_padding(logits), axis=1), state

    def _most_likely_ones(
        self, tokens: tf.Tensor, state: Tensors, memory: Tensors, lengths: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, Tensors, tf.Tensor | None]:
        logits, after, attention = self._all(tokens, state, memory, lengths)
        scores, ids = tf.math.top_k(tf.nn.log_softmax(_without_padding(logits)), count)
        return scores, ids, after, attention

    def _given(
        self, tokens: tf.Tensor, state: Tensors, memory: Tensors, lengths: tf.Tensor, targets: tf.Tensor
    ) -> tuple[tf.Tensor, Tensors]:
        logits, after, _ = self._all(tokens, state, memory, lengths)
        return tf.gather(tf.nn.log_softmax(logits), targets, batch_dims=1), after


def _without_padding(logits: tf.Tensor) -> tf.Tensor:
    return tf.concat([tf.fill([tf.shape(logits)[0], 1], NEVER), logits[:, 1:]], axis=1)
