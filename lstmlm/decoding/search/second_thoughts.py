"""Undoes token choices: keeps the alternatives of recent steps, so that a row can take its last token back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from lstmlm.decoding.backend import Floats


@dataclasses.dataclass(frozen=True, slots=True)
class Thought:
    """The choice that a row made.

    Attributes:
        logits: What it chose from, without the token that it took, float32 [vocabulary].
        state: The state of the forbidden words before the token.
        attended: The source position attended to as it was chosen.
    """

    logits: Floats
    state: int
    attended: int


class SecondThoughts:
    """The last choices of the rows that may have to take theirs back, by slot."""

    def __init__(self) -> None:
        self._thoughts: dict[int, Thought] = {}

    def add(self, slot: int, logits: Floats, token: int, state: int, attended: int) -> None:
        """Remembers a choice; see `Thought`."""
        left = logits.copy()
        left[token] = -np.inf
        self._thoughts[slot] = Thought(left, state, int(attended))

    def all(self) -> Iterator[tuple[int, Thought]]:
        """Yields slots and their choices."""
        yield from self._thoughts.items()

    def clear(self) -> None:
        """Forgets all choices."""
        self._thoughts = {}

    def forget(self, slots: Sequence[int]) -> None:
        """Forgets the choices of some slots."""
        for slot in slots:
            self._thoughts.pop(slot, None)

    def keep(self, slots: Sequence[int]) -> None:
        """Leaves out all slots but these, which are numbered anew."""
        self._thoughts = {new: self._thoughts[old] for new, old in enumerate(slots) if old in self._thoughts}
