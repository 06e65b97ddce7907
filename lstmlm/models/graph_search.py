"""Greedy decoding and temperature sampling, as pure functions over `step(state, token) -> (logits, state)`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from lstmlm.tokenizer.special import END, PAD

Step = Callable[[Any, tf.Tensor], tuple[tf.Tensor, Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """How to search.

    Attributes:
        sample: Draw from the distribution; otherwise take the most likely token.
        temperature: Divides the logits before a draw.
        max_tokens: Tokens decoded at most.
    """

    sample: bool
    temperature: float
    max_tokens: int


def decode(
    step: Step, state: Any, prompt: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options
) -> tf.Tensor:
    """Reads each row's prompt, then appends tokens until *end* or `options.max_tokens`.

    Rows have prompts of different lengths; a row starts to decode where its own prompt ends, so its output does not
    depend on the other rows.

    Args:
        step: Gives float32 [batch, vocabulary] logits of the next token, and the next state.
        state: Nest of tensors with a leading batch dimension.
        prompt: int32 [batch, time], padded with 0, at least one token per row.
        lengths: int32 [batch], tokens of each prompt.
        seeds: int64 [batch]; a draw is a pure function of the seed and the position behind the prompt.
        options: See `Options`.

    Returns:
        int32 [batch, max_tokens]: the tokens behind the prompt without *end*, padded with 0.
    """
    batch = tf.shape(prompt)[0]
    total = tf.reduce_max(lengths) - 1 + options.max_tokens
    rows = tf.range(batch)

    def proceed(t: tf.Tensor, state: Any, token: tf.Tensor, done: tf.Tensor, out: tf.Tensor) -> tf.Tensor:
        return tf.logical_and(t < total, tf.logical_not(tf.reduce_all(done)))

    def body(t: tf.Tensor, state: Any, token: tf.Tensor, done: tf.Tensor, out: tf.Tensor) -> tuple[Any, ...]:
        logits, state = step(state, token)
        place = t + 1 - lengths  # index of the new token behind the prompt; negative inside of it
        chosen = choose(logits, seeds, place, options)
        inside = place < 0
        forced = prompt[:, tf.minimum(t + 1, tf.shape(prompt)[1] - 1)]
        ended = tf.logical_or(done, tf.logical_and(~inside, chosen == END))
        token = tf.where(inside, forced, tf.where(ended, PAD, chosen))
        kept = tf.logical_and(~inside, ~ended)
        out = tf.tensor_scatter_nd_update(
            out, tf.boolean_mask(tf.stack([rows, place], axis=1), kept), tf.boolean_mask(token, kept)
        )
        return t + 1, state, token, tf.logical_or(ended, place >= options.max_tokens - 1), out

    out = tf.zeros([batch, options.max_tokens], tf.int32)
    start = (tf.constant(0), state, prompt[:, 0], tf.zeros([batch], tf.bool), out)
    return tf.while_loop(proceed, body, start, parallel_iterations=1)[-1]


def choose(logits: tf.Tensor, seeds: tf.Tensor, place: tf.Tensor, options: Options) -> tf.Tensor:
    """Returns the next token of each row, int32 [batch], from float32 [batch, vocabulary] logits.

    Padding is never chosen. A draw inverts the cumulative distribution at a uniform number.
    """
    logits = tf.concat([tf.fill([tf.shape(logits)[0], 1], -1e9), logits[:, 1:]], axis=1)
    if not options.sample:
        return tf.argmax(logits, axis=1, output_type=tf.int32)
    cumulative = tf.cumsum(tf.nn.softmax(logits / options.temperature), axis=1)
    point = uniform(seeds, place)[:, None] * cumulative[:, -1:]
    drawn = tf.reduce_sum(tf.cast(cumulative <= point, tf.int32), axis=1)
    return tf.minimum(drawn, tf.shape(logits)[1] - 1)


def uniform(seeds: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """Returns float32 [batch] in [0, 1), a pure function of seed and place (SplitMix64, Steele et al. 2014)."""

    def number(value: int) -> tf.Tensor:
        return tf.constant(value, tf.uint64)

    z = tf.bitcast(seeds, tf.uint64) + (tf.cast(place + 1, tf.uint64) + number(1)) * number(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = tf.bitwise.bitwise_xor(z, tf.bitwise.right_shift(z, number(shift))) * number(factor)
    z = tf.bitwise.bitwise_xor(z, tf.bitwise.right_shift(z, number(31)))
    return tf.cast(tf.bitwise.right_shift(z, number(40)), tf.float32) * 2.0**-24
