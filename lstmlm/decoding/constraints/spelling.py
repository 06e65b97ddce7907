"""What every token of a vocabulary writes, as tables that all sets of forbidden words share."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

KEPT_ROWS = 1024
"""Rows over the vocabulary that are kept in memory, those of all sets of words together."""


class Words(Protocol):
    """A set of words, whose rows over the vocabulary are kept here; see `Forbidden`."""

    def new_row(self, place: int) -> npt.NDArray[np.int32]:
        """Computes a row, int32 [tokens]."""

    def new_banned(self, state: int, last: bool) -> Ints:
        """Computes the tokens that are not allowed, int64 [any]."""


class Spelling:
    """The pieces of a vocabulary, and what was computed for them last.

    Args:
        pieces: What each token writes; see `Tokenizer.pieces`.
    """

    def __init__(self, pieces: Sequence[str | bytes]) -> None:
        self.pieces = pieces
        self.bytes = np.array([n for n, piece in enumerate(pieces) if isinstance(piece, bytes)], np.int64)
        texts = [piece if isinstance(piece, str) else "" for piece in pieces]
        self.characters = sorted({character for text in texts for character in text})
        """Every character that a piece of text has; the tables count them from 1."""
        number = {character: n for n, character in enumerate(self.characters, 1)}
        self.table = np.zeros([len(pieces), max(1, *map(len, texts))], np.int32)
        """The characters of each token, int32 [tokens, longest], 0 behind its end."""
        for token, text in enumerate(texts):
            self.table[token, : len(text)] = [number[character] for character in text]
        self.row = functools.lru_cache(KEPT_ROWS)(_row)
        self.banned = functools.lru_cache(KEPT_ROWS)(_banned)


def _row(words: Words, place: int) -> npt.NDArray[np.int32]:
    return words.new_row(place)


def _banned(words: Words, state: int, last: bool) -> Ints:
    return words.new_banned(state, last)
