"""An automaton that finds phrases in a text read character by character: a table of state x symbol -> state.

A phrase is found where it is written with nothing that makes its first or last word longer: "a word" is not found in
"a wordy", but in "a word." it is. Any run of white space matches a space. Where a phrase begins or ends in a script
without spaces, or in a sign, it is found within other text too.

The table is that of Aho and Corasick (1975), with two things added to their states: whether the last character was part
of a word, and whether a phrase is complete if the next one is not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.constraints.characters import in_word, is_space

FOUND = 0
"""The state in which a phrase was found: no character leads out of it."""
START = 1
"""The state before the first character."""

NOTHING, SPACE, SIGN, LETTER = range(4)
"""Symbols: no character; white space; a character that is in no phrase and ends a word, or makes one longer."""
_NAMED = 4

Table = npt.NDArray[np.int32]


@dataclasses.dataclass(slots=True)
class _Node:
    """A beginning of phrases; `ends`: one of them is complete here."""

    next: dict[int, int] = dataclasses.field(default_factory=dict)
    ends: bool = False
    open: bool = False  # the complete one ends in a letter: what follows decides


@dataclasses.dataclass(frozen=True, slots=True)
class _State:
    """What has been read: the beginnings of phrases that it ends in, and what its last character was."""

    nodes: frozenset[int] = frozenset()
    letter: bool = False
    space: bool = False
    pending: bool = False


class PhraseAutomaton:
    """The table for some phrases.

    Args:
        phrases: What to find; white space around them does not count.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        texts = [" ".join(phrase.split()) for phrase in phrases]
        characters = sorted({character for text in texts for character in text if not is_space(character)})
        self._symbols = {character: _NAMED + place for place, character in enumerate(characters)}
        self._letters = [False, False, False, True, *map(in_word, characters)]
        self._nodes = [_Node(), _Node()]  # the roots: of phrases that begin with a letter, and of the others
        for text in texts:
            if text:
                self._add([self.symbol(character) for character in text])
        self.table, pending = self._built()
        self.pending = np.array(pending)
        """Says of each state whether a phrase is found if the text ends there."""

    def symbol(self, character: str) -> int:
        """Returns the symbol of a character."""
        if is_space(character):
            return SPACE
        known = self._symbols.get(character)
        if known is not None:
            return known
        return LETTER if in_word(character) else SIGN

    def read(self, state: int, text: str) -> int:
        """Returns the state after a text."""
        for character in text:
            state = int(self.table[state, self.symbol(character)])
        return state

    def finds(self, text: str) -> bool:
        """Says whether a text has one of the phrases in it."""
        state = self.read(START, text)
        return state == FOUND or bool(self.pending[state])

    def _add(self, symbols: Sequence[int]) -> None:
        place = 0 if self._letters[symbols[0]] else 1
        for symbol in symbols:
            node = self._nodes[place]
            if symbol not in node.next:
                node.next[symbol] = len(self._nodes)
                self._nodes.append(_Node())
            place = node.next[symbol]
        self._nodes[place].ends = True
        self._nodes[place].open = self._letters[symbols[-1]]

    def _built(self) -> tuple[Table, list[bool]]:
        """Follows every symbol from every state that can be reached."""
        states: dict[_State, int] = {_State(): START}
        order, rows = [_State()], [np.zeros(len(self._letters), np.int32)]
        letters = np.array(self._letters)

        def number(after: _State | None) -> int:
            if after is None:
                return FOUND
            if after not in states:
                states[after] = len(states) + 1
                order.append(after)
            return states[after]

        for state in order:  # grows
            plain = {symbol: number(self._after(state, symbol)) for symbol in (NOTHING, SPACE, SIGN, LETTER)}
            row = np.where(letters, plain[LETTER], plain[SIGN]).astype(np.int32)
            row[[NOTHING, SPACE]] = plain[NOTHING], plain[SPACE]
            # Symbols that continue no phrase do what any other letter or sign does.
            for symbol in {symbol for place in self._begun(state) for symbol in self._nodes[place].next}:
                row[symbol] = number(self._after(state, symbol))
            rows.append(row)
        return np.stack(rows), [True, *(state.pending for state in order)]

    def _begun(self, state: _State) -> list[int]:
        return [*state.nodes, 1, *([] if state.letter else [0])]

    def _after(self, state: _State, symbol: int) -> _State | None:
        """Returns the state after a symbol; None where a phrase is found."""
        letter = self._letters[symbol]
        if symbol == NOTHING or (symbol == SPACE and state.space):
            return state
        if state.pending and not letter:
            return None
        nodes = {self._nodes[place].next.get(symbol, 0) for place in self._begun(state)} - {0}
        complete = [self._nodes[place] for place in nodes if self._nodes[place].ends]
        if any(not node.open for node in complete):
            return None
        return _State(frozenset(nodes), letter, symbol == SPACE, bool(complete))
