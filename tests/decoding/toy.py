"""A model for the engine small enough to search exhaustively: what comes next depends on all that came before."""

from __future__ import annotations

import itertools

import numpy as np

from lstmlm.decoding.backend import Rows
from lstmlm.decoding.numpy_rows import NumpyRows

END = 3
PIECES = ["", " ?", "", "", " a", " b", "c"]
"""What the tokens of a small toy write."""
HISTORIES = 997


class Toy(NumpyRows):
    """State: a hash of the source and of every token so far; it picks the row of a table of logits."""

    closes_source = True
    source_axes = (1,)
    failures = ()

    def __init__(self, vocabulary: int = 7, seed: int = 0, sharpness: float = 2.0) -> None:
        rng = np.random.default_rng(seed)
        self.vocabulary = vocabulary
        self.table = (rng.normal(size=[HISTORIES, vocabulary]) * sharpness).astype(np.float32)
        self.table[:, 0] = -1e9
        self.attention = rng.random([HISTORIES, 64]).astype(np.float32)
        self.steps, self.rows = 0, 0

    def encode(self, ids, lengths):
        history = (ids * (np.arange(ids.shape[1]) + 7)).sum(axis=1, keepdims=True) % HISTORIES
        return Rows([history], [ids.astype(np.float32)], lengths)

    def _step(self, rows, tokens):
        self.steps, self.rows = self.steps + 1, self.rows + len(tokens)
        rows.state = [(rows.state[0] * 31 + tokens[:, None]) % HISTORIES]
        return rows.state[0][:, 0]

    def _attention(self, rows, history):
        source = rows.memory[0].shape[1]
        lengths = np.repeat(rows.lengths, len(history) // len(rows.lengths))
        weights = self.attention[history][:, np.arange(source) % 64] * (np.arange(source) < lengths[:, None])
        return weights / weights.sum(axis=1, keepdims=True)

    def most_likely(self, rows, tokens):
        return self.table[self._step(rows, tokens)].argmax(axis=1)

    def best(self, rows, tokens, count):
        history = self._step(rows, tokens)
        scores = self.log_table()[history]
        order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(scores, order, axis=1), order, self._attention(rows, history)

    def logits(self, rows, tokens):
        history = self._step(rows, tokens)
        return self.table[history].copy(), self._attention(rows, history)

    def score(self, rows, tokens, targets):
        return self.log_table()[self._step(rows, tokens), targets]

    def log_table(self):
        shifted = self.table - self.table.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def first(self, ids):
        """The hash that decoding starts from, *begin* read."""
        return (sum(token * (n + 7) for n, token in enumerate(ids)) % HISTORIES * 31 + 2) % HISTORIES

    def texts(self, ids, most):
        """Yields (tokens, log-probability, attention of each step) of every text of at most `most` tokens."""
        table = self.log_table()
        for size in range(most + 1):
            for tokens in itertools.product([t for t in range(1, self.vocabulary) if t != END], repeat=size):
                history, total, attended = self.first(ids), 0.0, []
                for token in tokens:
                    total += float(table[history, token])
                    attended.append(self._weights(history, len(ids)))
                    history = (history * 31 + token) % HISTORIES
                if size < most:
                    total += float(table[history, END])
                    attended.append(self._weights(history, len(ids)))
                yield tokens, total, attended

    def _weights(self, history, source):
        weights = self.attention[history][np.arange(source) % 64]
        return weights / weights.sum()


def sources(count, seed=0, longest=20):
    rng = np.random.default_rng(seed)
    return [[*rng.integers(4, 40, rng.integers(1, longest)).tolist(), END] for _ in range(count)]


def written(tokens):
    """The text of a small toy's tokens."""
    return "".join(PIECES[token] for token in tokens)
