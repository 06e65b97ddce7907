"""The served graph: from questions and passages as text to answers with their places in characters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from lstmlm.answering.lexicon import Lexicon
from lstmlm.bases.graph_tokenizer import MULTIPLE, GraphTokenizer
from lstmlm.models.base import OnePass
from lstmlm.models.reader.shapes import Shape
from lstmlm.models.reader.spans import IMPOSSIBLE


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in tokens, of which `lstmlm.answering.examples.Encoder` has the same.

    Attributes:
        longest: Of a window of a passage.
        stride: From one window to the next.
        question: Of a question.
        no_answer: Whether there may be no answer in a passage.
    """

    longest: int
    stride: int
    question: int
    no_answer: bool


class Served(tf.Module):
    """Answers questions.

    A long passage is read in windows, one after the other, and everything is padded to the longest that there may be:
    the model always reads as many rows as there are requests, of the same size, so that not even the rounding of what it
    computes for a row depends on the others. A span belongs to the window in which its
    first token is furthest from both ends, and competes with all others by its odds against no answer.

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
        asked = _padded(self._words.places(question)[0][:, : self._limits.question], self._limits.question)
        batch = {"question": asked} | self._named("question", asked)
        ids, starts, ends = self._words.places(context)
        start, end, odds, mass = self._best(batch, ids, starts, ends)
        answered = odds > (0.0 if self._limits.no_answer else IMPOSSIBLE / 1000)
        start, end = tf.where(answered, start, 0), tf.where(answered, end, 0)
        confidence = self._confidence(odds, mass, answered)
        return {
            "answer": tf.strings.substr(context, start, end - start),
            "start": _characters(context, start),
            "end": _characters(context, end),
            "confidence": confidence,
            "odds": odds,
        }

    def _best(
        self,
        batch: Mapping[str, tf.Tensor],
        ids: tf.RaggedTensor,
        starts: tf.RaggedTensor,
        ends: tf.RaggedTensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the bytes from and to which the best span goes, its odds, and those of all spans together."""
        limits, rows = self._limits, tf.shape(batch["question"])[0]
        sizes = tf.cast(ids.row_lengths(), tf.int32)
        number = 1 + tf.maximum(0, -(-(sizes - limits.longest) // limits.stride))

        def window(n: tf.Tensor, *best: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first = n * limits.stride
            part, begin, behind = (
                _padded(values[:, first : first + limits.longest], limits.longest) for values in (ids, starts, ends)
            )
            nothing = tf.where(behind > begin, 0, int(Shape.NOTHING))
            shape = tf.bitwise.bitwise_or(tf.gather(self._shapes, part), nothing)
            margin = (limits.longest - limits.stride) // 2
            own_first = tf.fill([rows], tf.where(n == 0, 0, margin))
            own_behind = tf.where(n == number - 1, limits.longest, limits.stride + margin)
            found = self._reader.predict(
                {
                    **batch,
                    "passage": part,
                    **self._named("passage", part),
                    "passage_shape": shape,
                    "own_first": own_first,
                    "own_behind": own_behind,
                }
            )
            start, end, odds, mass = best
            there = n < number
            better = there & (found["odds"] > odds)
            start = tf.where(better, tf.gather(begin, found["start"], batch_dims=1), start)
            end = tf.where(
                better, tf.gather(behind, tf.minimum(found["end"], tf.shape(behind)[1] - 1), batch_dims=1), end
            )
            both = tf.reduce_logsumexp(tf.stack([mass, found["mass"]]), axis=0)
            return n + 1, start, end, tf.where(better, found["odds"], odds), tf.where(there, both, mass)

        nowhere, least = tf.zeros([rows], tf.int32), tf.fill([rows], tf.float32.min)
        most = tf.reduce_max(tf.concat([number, [1]], axis=0))
        _, *best = tf.while_loop(
            lambda n, *_: n < most, window, (0, nowhere, nowhere, least, least), parallel_iterations=1
        )
        return tuple(best)

    def _confidence(self, odds: tf.Tensor, mass: tf.Tensor, answered: tf.Tensor) -> tf.Tensor:
        """Returns the probability of the best span, or of no answer."""
        if not self._limits.no_answer:
            return tf.where(answered, tf.exp(odds - mass), 0.0)
        total = tf.reduce_logsumexp(tf.stack([mass, tf.zeros_like(mass)]), axis=0)
        return tf.where(answered, tf.exp(odds - total), tf.exp(-total))

    def _named(self, name: str, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"{name}_form": tf.gather(self._forms, ids), f"{name}_stem": tf.gather(self._stems, ids)}


def _padded(values: tf.RaggedTensor, longest: int) -> tf.Tensor:
    """Pads to the longest that there may be with 0, int32 [rows, width]; the width is a multiple of `MULTIPLE`."""
    return values.to_tensor(shape=[None, -(-longest // MULTIPLE) * MULTIPLE])


def _characters(text: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """Returns how many characters are before a byte, int32 [rows]."""
    return tf.strings.length(tf.strings.substr(text, tf.zeros_like(place), place), unit="UTF8_CHAR")
