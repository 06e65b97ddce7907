"""Prefix beam search over CTC outputs, with a language model of words and a lexicon (Hannun et al. 2014).

A prefix is what is left of a path without blanks and repetitions. Its probability is the sum over all its paths; it is
kept in two parts, of the paths that end in a blank and of those that do not. The language model scores a word as soon
as the next one begins.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from lstmlm.decoding.ctc.alignment import BLANK, Floats
from lstmlm.decoding.ctc.words import Pieces

NEVER = -math.inf


class WordModel(Protocol):
    """A language model as the search uses it. A history is a number that the model gave."""

    def begin(self) -> int:
        """Forgets all histories, and returns that of nothing."""

    def scored(self, asked: Sequence[tuple[int, str]]) -> list[tuple[float, int]]:
        """Returns, for each history and word that follows it, what the word adds to a score, and the history after."""

    def closed(self, histories: Sequence[int]) -> list[float]:
        """Returns what the end of the text adds to a score after each history."""


class NoModel:
    """The language model that has no opinion."""

    def begin(self) -> int:
        """See `WordModel`."""
        return 0

    def scored(self, asked: Sequence[tuple[int, str]]) -> list[tuple[float, int]]:
        """See `WordModel`."""
        return [(0.0, 0)] * len(asked)

    def closed(self, histories: Sequence[int]) -> list[float]:
        """See `WordModel`."""
        return [0.0] * len(histories)


class Lexicon:
    """Words that may be written, and no others.

    Args:
        words: The words.
    """

    def __init__(self, words: Collection[str]) -> None:
        self._words = {word.encode("utf-8") for word in words}
        self._beginnings = {word[:size] for word in self._words for size in range(1, len(word) + 1)}

    def may_begin(self, part: bytes) -> bool:
        """Says whether a word begins so."""
        return part in self._beginnings

    def is_word(self, part: bytes) -> bool:
        """Says whether it is a word."""
        return part in self._words


@dataclasses.dataclass(frozen=True, slots=True)
class BeamOptions:
    """How wide the search is.

    Attributes:
        beam: Prefixes that are kept.
        tokens: Most likely tokens of a step that are looked at.
        least: Tokens of a smaller log-probability are not looked at.
    """

    beam: int = 16
    tokens: int = 20
    least: float = -12.0


class _Prefix:
    """A node of the tree of prefixes."""

    __slots__ = ("children", "finished", "fused", "history", "last", "parent", "part")

    def __init__(self, parent: _Prefix | None, last: int, part: bytes, fused: float, history: int) -> None:
        self.parent, self.last, self.part = parent, last, part
        self.fused, self.history = fused, history  # what the language model gave to the finished words
        self.children: dict[int, _Prefix] = {}
        self.finished: tuple[float, int] | None = None  # the same with `part` as a finished word

    def tokens(self) -> list[int]:
        found: list[int] = []
        node: _Prefix = self
        while node.parent is not None:
            found.append(node.last)
            node = node.parent
        return found[::-1]


class PrefixBeam:
    """See the module.

    Args:
        pieces: What the tokens write.
        options: How wide the search is.
        model: The language model; None: none.
        lexicon: The words that may be written; None: any.
    """

    def __init__(
        self, pieces: Pieces, options: BeamOptions, model: WordModel | None = None, lexicon: Lexicon | None = None
    ) -> None:
        self._pieces, self._options = pieces, options
        self._model, self._lexicon = model or NoModel(), lexicon

    def search(self, log_probabilities: Floats, *, closed: bool = True) -> list[tuple[list[int], float]]:
        """Returns the best token sequences of a recording with their scores, best first; at least one.

        Args:
            log_probabilities: float32 [steps, vocabulary].
            closed: Whether the text ends with the recording, for the language model.
        """
        root = _Prefix(None, BLANK, b"", 0.0, self._model.begin())
        beam: dict[_Prefix, tuple[float, float]] = {root: (0.0, NEVER)}
        for step in log_probabilities:
            beam = self._advanced(beam, step)
        return self._ranked(beam, closed)

    def _advanced(self, beam: dict[_Prefix, tuple[float, float]], step: Floats) -> dict[_Prefix, tuple[float, float]]:
        options = self._options
        likely = [token for token in np.argsort(-step, kind="stable")[: options.tokens].tolist() if token != BLANK]
        found = [(token, float(step[token])) for token in likely if step[token] > options.least]
        blank = float(step[BLANK])
        if any(self._pieces.begins(token) for token, _ in found):
            self._finish([prefix for prefix in beam if prefix.part and prefix.finished is None])
        after: dict[_Prefix, tuple[float, float]] = {}

        def add(prefix: _Prefix, in_blank: float, in_token: float) -> None:
            before = after.get(prefix, (NEVER, NEVER))
            after[prefix] = (_sum(before[0], in_blank), _sum(before[1], in_token))

        for prefix, (ends_blank, ends_token) in beam.items():
            total = _sum(ends_blank, ends_token)
            add(prefix, total + blank, NEVER)
            for token, likelihood in found:
                if token == prefix.last:
                    add(prefix, NEVER, ends_token + likelihood)
                    reached = ends_blank
                else:
                    reached = total
                if reached > NEVER and (child := self._child(prefix, token)) is not None:
                    add(child, NEVER, reached + likelihood)
        ranked = sorted(after.items(), key=lambda item: -(_sum(*item[1]) + item[0].fused))
        return dict(ranked[: options.beam])

    def _child(self, prefix: _Prefix, token: int) -> _Prefix | None:
        """Returns the prefix with a token more; None where the lexicon has no such word."""
        if (known := prefix.children.get(token)) is not None:
            return known
        part = self._pieces.part(token)
        fused, history = prefix.fused, prefix.history
        if self._pieces.begins(token) and not part and not prefix.part and prefix.parent is not None:
            return None  # another space behind one
        if self._pieces.begins(token) and prefix.part:
            if self._lexicon is not None and not self._lexicon.is_word(prefix.part):
                return None
            assert prefix.finished is not None
            fused, history = prefix.finished
        else:
            part = prefix.part + part
        if part and self._lexicon is not None and not self._lexicon.may_begin(part):
            return None
        made = prefix.children[token] = _Prefix(prefix, token, part, fused, history)
        return made

    def _finish(self, prefixes: Sequence[_Prefix]) -> None:
        """Asks the language model what it makes of the words that the prefixes end with."""
        asked = [(prefix.history, prefix.part.decode("utf-8", "replace")) for prefix in prefixes]
        for prefix, (added, history) in zip(prefixes, self._model.scored(asked) if asked else [], strict=True):
            prefix.finished = (prefix.fused + added, history)

    def _ranked(self, beam: dict[_Prefix, tuple[float, float]], closed: bool) -> list[tuple[list[int], float]]:
        lexicon = self._lexicon
        whole = [prefix for prefix in beam if not prefix.part or lexicon is None or lexicon.is_word(prefix.part)]
        kept = whole or list(beam)  # where no prefix ends with a word, the best one is better than nothing
        self._finish([prefix for prefix in kept if prefix.part and prefix.finished is None])
        ends = [prefix.finished if prefix.part else (prefix.fused, prefix.history) for prefix in kept]
        scores = [_sum(*beam[prefix]) + end[0] for prefix, end in zip(kept, ends, strict=True) if end is not None]
        if closed:
            added = self._model.closed([end[1] for end in ends if end is not None])
            scores = [score + more for score, more in zip(scores, added, strict=True)]
        order = sorted(range(len(kept)), key=lambda place: -scores[place])
        return [(kept[place].tokens(), scores[place]) for place in order]


def _sum(left: float, right: float) -> float:
    """Returns log(exp(left) + exp(right))."""
    if left < right:
        left, right = right, left
    return left if right == NEVER else left + math.log1p(math.exp(right - left))
