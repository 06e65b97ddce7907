"""The served graph: from questions and passages as text to answers with their places in characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from lstmlm.answering.lexicon import Lexicon
from lstmlm.answering.limits import Limits
from lstmlm.bases.graph_tokenizer import MULTIPLE, GraphTokenizer
from lstmlm.models.base import OnePass
from lstmlm.models.reader.names import IMPOSSIBLE
from lstmlm.models.reader.shapes import Shape


class Placed(NamedTuple):
    """Tokens of passages and the bytes where they are; see `GraphTokenizer.places`."""

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


class Served(tf.Module):
    """Answers questions.

    A long passage is read in windows, one after the other: the model always reads as many rows as there are requests,
    whatever else is asked. A span belongs to the window in which its first token is furthest from both ends, and
    competes with all others by its odds against no answer.

    Args:
        reader: The model.
        words: The vocabulary.
        lexicon: Its tables.
        limits: The sizes.
    """

    def __init__(self, reader: OnePass, words: GraphTokenizer, lexicon: Lexicon, limits: Limits) -> None:
        super().__init__(name="answers")
        self._reader, self._words, self._limits = reader, words, limits
        self._forms, self._stems = tf.constant(lexicon.forms), tf.constant(lexicon.stems)
        self._shapes = tf.constant(lexicon.shapes)

    def __call__(self, question: tf.Tensor, context: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers.

        Args:
            question: string [rows].
            context: The passages, string [rows].

        Returns:
            `answer`, string [rows]; `start` and `end`, int32 [rows], its place in the passage in characters (code
            points), the end exclusive; `confidence`, float32 [rows], the probability that the model gives it; `odds`,
            float32 [rows], the logarithm of how much more probable it is than that the passage has no answer. No
            answer is an empty one, from 0 to 0.
        """
        asked = _padded(self._words.places(question)[0][:, : self._limits.question])
        placed = Placed(*self._words.places(context))
        start, end, odds, mass = self._best({"question": asked, **self._named("question", asked)}, placed)
        answered = odds > (0.0 if self._limits.no_answer else IMPOSSIBLE / 1000)
        start, end = tf.where(answered, start, 0), tf.where(answered, end, 0)
        return {
            "answer": tf.strings.substr(context, start, end - start),
            "start": _characters(context, start),
            "end": _characters(context, end),
            "confidence": self._confidence(odds, mass, answered),
            "odds": odds,
        }

    def _best(self, asked: Mapping[str, tf.Tensor], placed: Placed) -> tuple[tf.Tensor, ...]:
        """Returns the bytes from and to which the best span goes, its odds, and those of all spans together."""
        limits, rows = self._limits, tf.shape(asked["question"])[0]
        beyond = tf.cast(placed.ids.row_lengths(), tf.int32) - limits.longest
        number = 1 + tf.maximum(0, -(-beyond // limits.stride))

        def window(n: tf.Tensor, *best: tf.Tensor) -> tuple[tf.Tensor, ...]:
            found = self._in_window(asked, placed, n, number)
            there = n < number
            better = there & (found[2] > best[2])
            together = tf.reduce_logsumexp(tf.stack([best[3], found[3]]), axis=0)
            chosen = [tf.where(better, new, old) for new, old in zip(found[:3], best[:3], strict=True)]
            return n + 1, *chosen, tf.where(there, together, best[3])

        nowhere, least = tf.zeros([rows], tf.int32), tf.fill([rows], tf.float32.min)
        most = tf.reduce_max(tf.concat([number, [1]], axis=0))
        start = (0, nowhere, nowhere, least, least)
        return tuple(tf.while_loop(lambda n, *_: n < most, window, start, parallel_iterations=1)[1:])

    def _in_window(
        self, asked: Mapping[str, tf.Tensor], placed: Placed, n: tf.Tensor, number: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Returns what `_best` does for the window n of each passage, of which there are `number`."""
        limits = self._limits
        first = n * limits.stride
        ids, starts, ends = (_padded(values[:, first : first + limits.longest]) for values in placed)
        nothing = tf.where(ends > starts, 0, int(Shape.NOTHING))
        margin = (limits.longest - limits.stride) // 2
        read = {"passage": ids, **self._named("passage", ids)}
        read["passage_shape"] = tf.bitwise.bitwise_or(tf.gather(self._shapes, ids), nothing)
        read["own_first"] = tf.fill([tf.shape(ids)[0]], tf.where(n == 0, 0, margin))
        read["own_behind"] = tf.where(n == number - 1, limits.longest, limits.stride + margin)
        found = self._reader.predict({**asked, **read})
        last = tf.minimum(found["end"], tf.shape(ids)[1] - 1)  # in a row without a passage it is anywhere
        places = tf.gather(starts, found["start"], batch_dims=1), tf.gather(ends, last, batch_dims=1)
        return *places, found["odds"], found["mass"]

    def _confidence(self, odds: tf.Tensor, mass: tf.Tensor, answered: tf.Tensor) -> tf.Tensor:
        """Returns the probability of the best span, or of no answer."""
        if not self._limits.no_answer:
            return tf.where(answered, tf.exp(odds - mass), 0.0)
        total = tf.reduce_logsumexp(tf.stack([mass, tf.zeros_like(mass)]), axis=0)
        return tf.where(answered, tf.exp(odds - total), tf.exp(-total))

    def _named(self, name: str, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"{name}_form": tf.gather(self._forms, ids), f"{name}_stem": tf.gather(self._stems, ids)}


def _padded(values: tf.RaggedTensor) -> tf.Tensor:
    """Pads with 0 to a multiple of `MULTIPLE`, at least one: int32 [rows, width]."""
    longest = tf.cast(tf.reduce_max(tf.concat([values.row_lengths(), [1]], axis=0)), tf.int32)
    return values.to_tensor(shape=tf.stack([values.nrows(out_type=tf.int32), -(-longest // MULTIPLE) * MULTIPLE]))


def _characters(text: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """Returns how many characters are before a byte, int32 [rows]."""
    return tf.strings.length(tf.strings.substr(text, tf.zeros_like(place), place), unit="UTF8_CHAR")
