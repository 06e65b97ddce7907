"""An LSTM language model of this project as the word model of the prefix beam search (shallow fusion)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.backend import Array, Backend, Floats, Ints, Rows, start
from lstmlm.tokenizer import Tokenizer

Totals = npt.NDArray[np.float64]

_ROOM = 64
"""States that there is room for at first."""


class LSTMWords:
    """See `lstmlm.decoding.ctc.prefix_beam.WordModel`; whatever pieces the model's own vocabulary has.

    The states of all histories are rows of one array a layer, which the backend's `take` and `put` move.

    Args:
        backend: The language model.
        tokenizer: Its vocabulary.
        weight: Factor on its log-probabilities.
        bonus: Added for each word, against the preference of a language model for short texts.
    """

    def __init__(self, backend: Backend, tokenizer: Tokenizer, weight: float, bonus: float) -> None:
        self._backend, self._tokenizer, self._weight, self._bonus = backend, tokenizer, weight, bonus
        ids, self._first = start(False, [])
        self._nothing = backend.encode(np.zeros([1, max(1, len(ids))], np.int64), np.zeros(1, np.int64)).state
        self._states: list[Array] = []
        self._last: list[int] = []

    def begin(self) -> int:
        """See `WordModel`."""
        self._states = [self._backend.resize(array, 0, _ROOM) for array in self._nothing]
        self._last = [self._first]
        return 0

    def scored(self, asked: Sequence[tuple[int, str]]) -> list[tuple[float, int]]:
        """See `WordModel`."""
        texts = [self._tokenizer.encode(word) for _, word in asked]
        totals, made = self._read([history for history, _ in asked], texts)
        return [
            (self._weight * float(total) + self._bonus, history) for total, history in zip(totals, made, strict=True)
        ]

    def closed(self, histories: Sequence[int]) -> list[float]:
        """See `WordModel`."""
        totals, _ = self._read(histories, [[Tokenizer.END]] * len(histories))
        return [self._weight * float(total) for total in totals]

    def _read(self, histories: Sequence[int], texts: Sequence[Sequence[int]]) -> tuple[Totals, list[int]]:
        """Reads a text after each history; returns its log-probability, and the histories after."""
        made = list(range(len(self._last), len(self._last) + len(histories)))
        self._make_room(len(self._last) + len(histories))
        places, rows = np.array(made, np.int64), np.array(histories, np.int64)
        self._move(rows, places)
        self._last += [self._last[history] for history in histories]
        totals = np.zeros(len(histories))
        for place in range(max(map(len, texts), default=0)):
            busy = np.array([n for n, text in enumerate(texts) if place < len(text)], np.int64)
            wanted = np.array([texts[n][place] for n in busy.tolist()], np.int64)
            totals[busy] += self._step(places[busy], wanted)
        return totals, made

    def _step(self, places: Ints, wanted: Ints) -> Floats:
        rows = Rows([self._backend.take(array, places) for array in self._states], [], np.zeros(len(places), np.int64))
        fed = np.array([self._last[place] for place in places.tolist()], np.int64)
        found = self._backend.score(rows, fed, wanted)
        self._states = [
            self._backend.put(array, places, values) for array, values in zip(self._states, rows.state, strict=True)
        ]
        for place, token in zip(places.tolist(), wanted.tolist(), strict=True):
            self._last[place] = token
        return found

    def _move(self, sources: Ints, places: Ints) -> None:
        if len(places):
            taken = [self._backend.take(array, sources) for array in self._states]
            self._states = [
                self._backend.put(array, places, values) for array, values in zip(self._states, taken, strict=True)
            ]

    def _make_room(self, size: int) -> None:
        there = len(self._last)
        room = max(_ROOM, 1 << (size - 1).bit_length())
        if room > max(_ROOM, 1 << max(0, there - 1).bit_length()):
            self._states = [self._backend.resize(array, 0, room) for array in self._states]
