"""The engine's interface to a model, independent of the runtime that computes it.

Arrays are the backend's own (NumPy arrays, or tensors on a device): the engine moves their rows by the backend's
functions and looks into none of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lstmlm.tokenizer.special import BEGIN, END

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Array = Any


@dataclasses.dataclass(slots=True)
class Rows:
    """States and memory of rows.

    Attributes:
        state: The states of the layers, each [rows, units]; a record's hypotheses are adjacent. In a model with
            coverage the last is the attention to the source so far, [rows, source].
        memory: What is attended to, each array [records, ...] with the source as the axis `Backend.source_axes` says;
            empty for a language model.
        lengths: Source tokens of each record, int64 [records].
        covers: How many of the last states are coverage: one, or one for each model of an ensemble.
    """

    state: list[Array]
    memory: list[Array]
    lengths: Ints
    covers: int = 0


class Backend(Protocol):
    """Computes a model. The rows of a batch do not depend on each other."""

    vocabulary: int
    """Number of tokens."""

    closes_source: bool
    """See `Autoregressive.closes_source`: whether an input is a source text, or a prompt that is continued."""

    source_axes: Sequence[int]
    """For each memory array, the axis along the source."""

    failures: tuple[type[Exception], ...]
    """What the runtime raises where it fails on its inputs, or has no memory for them."""

    def encode(self, ids: Ints, lengths: Ints) -> Rows:
        """Reads inputs: ids int64 [records, time] padded with 0, lengths int64 [records]."""

    def most_likely(self, rows: Rows, tokens: Ints) -> Ints:
        """Takes a step: feeds tokens int64 [rows], puts the states after into `rows`, returns the next int64 [rows]."""

    def best(self, rows: Rows, tokens: Ints, count: int) -> tuple[Floats, Ints, Floats | None]:
        """Takes a step.

        Returns:
            The log-probabilities and ids of the `count` most likely next tokens, best first, [rows, count] each, and
            the attention to the source [rows, source], None for a language model.
        """

    def logits(self, rows: Rows, tokens: Ints) -> tuple[Floats, Floats | None]:
        """Takes a step; returns writable logits float32 [rows, vocabulary], padding ruled out, and the attention."""

    def score(self, rows: Rows, tokens: Ints, targets: Ints) -> Floats:
        """Takes a step; returns the log-probabilities of the given next tokens, float32 [rows]."""

    def take(self, array: Array, rows: Ints) -> Array:
        """Returns the rows of an array at the given places, as a new array."""

    def put(self, array: Array, rows: Ints, values: Array) -> Array:
        """Returns the array with the rows at the given places replaced; the array given may be changed or not.

        Values with fewer source tokens than the array has room for fill the beginning; what is behind them is
        arbitrary.
        """

    def resize(self, array: Array, axis: int, size: int) -> Array:
        """Returns the array with zeros added, or elements left out, at the end of an axis."""


def start(closes_source: bool, ids: Sequence[int]) -> tuple[list[int], int]:
    """Returns what is read before decoding, and the token that decoding starts from.

    A source is read whole and the target starts with *begin*. A prompt continues a stream that starts with *end*; its
    last token is the one that decoding starts from.
    """
    if closes_source:
        return list(ids), BEGIN
    prompt = [END, *ids]
    return prompt[:-1], prompt[-1]


def pad(texts: Sequence[Sequence[int]], time: int) -> tuple[Ints, Ints]:
    """Returns ids int64 [texts, time], padded with 0, and lengths int64 [texts]."""
    ids = np.zeros([len(texts), time], np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
    return ids, np.array([len(text) for text in texts], np.int64)
