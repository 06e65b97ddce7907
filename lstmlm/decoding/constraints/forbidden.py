"""Forbidden words: masks the tokens that would complete one, however the word is split into pieces.

Every piece is a row of symbols of a `PhraseAutomaton`, so what all tokens do to a state is a few look-ups in its table
for the whole vocabulary at once. That is done once for each state that is met; a step of decoding then looks it up.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.constraints.phrase_automaton import FOUND, NOTHING, SIGN, START, PhraseAutomaton
from lstmlm.decoding.constraints.spelling import Spelling
from lstmlm.tokenizer.special import BEGIN, END, PAD

Ints = npt.NDArray[np.int64]


class Forbidden:
    """Words, and phrases, that no output may have in it.

    A state is a number: what has been read, and the bytes of a character that is not whole yet.

    Args:
        words: The words, exactly as given (upper and lower case differ), and in both normal forms of Unicode.
        pieces: What each token writes; see `Tokenizer.pieces`. Several sets of words share one `Spelling`.
    """

    START = 0

    def __init__(self, words: Iterable[str], pieces: Sequence[str | bytes] | Spelling) -> None:
        forms = {unicodedata.normalize(form, word) for word in words for form in ("NFC", "NFD")} | {*words}
        self._automaton = PhraseAutomaton(sorted(forms))
        self._spelling = pieces if isinstance(pieces, Spelling) else Spelling(pieces)
        self._pieces = self._spelling.pieces
        # The symbol of each character of the vocabulary; 0 is behind the end of a piece.
        self._symbols = np.array([NOTHING, *map(self._automaton.symbol, self._spelling.characters)], np.int32)
        self._states: list[tuple[int, bytes]] = [(START, b"")]
        self._numbers = {self._states[0]: self.START}

    def step(self, state: int, token: int) -> int:
        """Returns the state after a token."""
        place, partial = self._states[state]
        piece = self._pieces[token]
        if isinstance(piece, bytes):
            return self._number(*self._read_byte(place, partial, piece))
        if not piece:
            return state
        return self._number(self._automaton.read(self._closed(place, partial), piece), b"")

    def after(self, tokens: Iterable[int]) -> int:
        """Returns the state after tokens, from the start."""
        return functools.reduce(self.step, tokens, self.START)

    def banned(self, state: int, *, last: bool) -> Ints:
        """Returns the tokens that may not come next, *end* among them where the text may not end there.

        Args:
            state: The text so far.
            last: The text ends behind the next token, *end* or not.
        """
        return self._spelling.banned(self, state, last)

    def may_end(self, state: int) -> bool:
        """Says whether a text may end there."""
        return not self._automaton.pending[self._closed(*self._states[state])]

    def longest_allowed(self, tokens: Sequence[int]) -> int:
        """Returns how many of the tokens can be kept: the most that are a text with no forbidden word."""
        states = [self.START]
        for token in tokens:
            states.append(self.step(states[-1], token))
        return max(count for count, state in enumerate(states) if self.may_end(state))

    def finds(self, text: str) -> bool:
        """Says whether a text has a forbidden word in it."""
        return self._automaton.finds(text)

    def _number(self, place: int, partial: bytes) -> int:
        state = place, partial
        if state not in self._numbers:
            self._numbers[state] = len(self._states)
            self._states.append(state)
        return self._numbers[state]

    def _closed(self, place: int, partial: bytes) -> int:
        """Returns what has been read if no byte follows: what is not a whole character is written as a sign."""
        return int(self._automaton.table[place, SIGN]) if partial else place

    def _read_byte(self, place: int, partial: bytes, byte: bytes) -> tuple[int, bytes]:
        together = partial + byte
        try:
            return self._automaton.read(place, together.decode("utf-8")), b""
        except UnicodeDecodeError as error:
            if error.start == 0 and error.reason == "unexpected end of data":
                return place, together
        place = int(self._automaton.table[place, SIGN])
        return self._read_byte(place, b"", byte) if partial else (place, b"")

    def new_row(self, place: int) -> npt.NDArray[np.int32]:
        """Computes the place of the automaton after every token that is text, int32 [tokens]."""
        places = np.full(len(self._pieces), place, np.int32)
        for characters in self._spelling.table.T:
            places = self._automaton.table[places, self._symbols[characters]]
        return places

    def new_banned(self, state: int, last: bool) -> Ints:
        """Computes what `banned` returns."""
        place, partial = self._states[state]
        if place == FOUND:
            return np.zeros(0, np.int64)  # no way leads here but the end
        after = self._spelling.row(self, self._closed(place, partial))
        bad = self._automaton.pending[after] if last else after == FOUND
        for token in self._spelling.bytes.tolist():
            bytewise = self._read_byte(place, partial, bytes(self._pieces[token]))
            bad[token] = bytewise[0] == FOUND or (last and bool(self._automaton.pending[self._closed(*bytewise)]))
        silent = [PAD, BEGIN]
        bad[silent] = last and not self.may_end(state)
        bad[END] = not self.may_end(state)
        return np.flatnonzero(bad)
