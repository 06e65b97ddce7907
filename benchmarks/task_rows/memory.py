"""What the recurrence costs and keeps: a token's cost far into a text, and how far back a symbol is recalled.

A step reads the last output and the cells, so its cost does not depend on the position: a text is continued from
each of them. A symbol is recalled over a
distance where a cell keeps it: sequences of one symbol, as many fillers as the distance, and a question; the answer is
the symbol (after Hochreiter and Schmidhuber 1997). The distances that the model learns from grow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from table import Row, median, row

POSITIONS = (10, 1_000, 10_000)
TURNS = 400
"""Steps from each position on, by turns."""
DISTANCES = (10, 100, 1_000)
SYMBOLS, FILLER, QUESTION = 16, 4, 5
"""Symbols are the ids from 6 on."""
LESSONS = ((10, 300), (30, 300), (100, 300), (300, 200), (1_000, 60))
"""Most distance of a part of the training, and its steps."""


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows; see the module."""
    costs = _costs()
    first = costs[POSITIONS[0]]
    for position, cost in costs.items():
        name = (
            f"processor milliseconds of a token at position {position:,} (language model of 2 x 512, greedy, one row)"
        )
        bar = None if quick or position == POSITIONS[0] else 1.1
        yield row(name, cost, peer=first, ratio=cost / first, bar=bar, at_most=True)
    for distance, share in _recalled(quick).items():
        name = f"share of symbols recalled over {distance:,} steps, of {SYMBOLS} (a guess: {1 / SYMBOLS:.3f})"
        yield row(name, share, bar=None if quick else 0.99)


def _costs() -> dict[int, float]:
    """Returns the median processor milliseconds of a step from each position on, of one text."""
    import tensorflow as tf

    from lstmlm.decoding.backend import Rows
    from lstmlm.decoding.onnx import files
    from lstmlm.decoding.onnx.backend import OnnxBackend
    from lstmlm.models.language_model import LanguageModel
    from lstmlm.recipe.sections.model import ModelSection

    network = LanguageModel(ModelSection(embedding=256, units=512, layers=2), 8000, 1, tf.float32)
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    backend = OnnxBackend(*files.graphs(weights, int8=False))
    text, token = backend.encode(np.zeros([1, 1], np.int64), np.zeros(1, np.int64)), np.array([3])
    reached: dict[int, tuple[Rows, Any]] = {}
    for position in range(max(POSITIONS) + 1):
        if position in POSITIONS:
            reached[position] = Rows(list(text.state), [], text.lengths), token
        token = backend.most_likely(text, token)
    seconds: dict[int, list[float]] = {position: [] for position in POSITIONS}
    for _ in range(TURNS):
        for position, (rows_of_one, token) in reached.items():
            started = time.thread_time()  # of the processor: what else runs on the machine does not count
            token = backend.most_likely(rows_of_one, token)
            seconds[position].append(time.thread_time() - started)
            reached[position] = rows_of_one, token
    return {position: 1000 * median(found) for position, found in seconds.items()}


def _questions(count: int, distance: int, rng: np.random.Generator) -> np.ndarray:
    """Returns sequences: a symbol, fillers, the question, the symbol; int32 [count, distance + 3]."""
    symbols = rng.integers(6, 6 + SYMBOLS, count)
    sequences = np.full([count, distance + 3], FILLER, np.int32)
    sequences[:, 0], sequences[:, -2], sequences[:, -1] = symbols, QUESTION, symbols
    return sequences


def _recalled(quick: bool) -> dict[int, float]:
    """Trains a small language model, and returns the share of symbols that it recalls over each distance."""
    import tensorflow as tf

    from lstmlm.models.language_model import LanguageModel
    from lstmlm.recipe.sections.model import ModelSection

    network = LanguageModel(ModelSection(embedding=24, units=64, layers=1, dropout=0.0), 6 + SYMBOLS, 1, tf.float32)
    variables = list(network.named_variables().values())
    optimizer, rng = tf.keras.optimizers.Adam(5e-3, clipnorm=1.0), np.random.default_rng(1)
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def learn(tokens: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            nats, _, _ = network.score_tokens(tokens, network.zero_state(tf.shape(tokens)[0]))
            loss = tf.reduce_mean(nats[:, -1])  # of the answer only: the rest is known
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    for longest, steps in LESSONS[:1] if quick else LESSONS:
        for _ in range(20 if quick else steps):
            learn(tf.constant(_questions(64, int(rng.integers(1, longest + 1)), rng)))
    return {distance: _share(network, _questions(256, distance, rng)) for distance in DISTANCES}


def _share(network: object, sequences: np.ndarray) -> float:
    """Returns the share of sequences whose answer is the most likely token after the question."""
    import tensorflow as tf

    states = network.zero_state(tf.constant(len(sequences)))
    step = tf.function(lambda token, states: network.advance(token, states, None)[:2])
    for token in sequences[:, :-1].T:
        logits, states = step(tf.constant(token), states)
    return float(np.mean(np.argmax(logits.numpy(), axis=1) == sequences[:, -1]))
