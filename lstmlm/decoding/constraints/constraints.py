"""Constraints on decoded texts (forbidden words, forced phrases, lengths), applied at each token."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.tokenizer.special import END

Phrase = tuple[int, ...]

NEVER = np.float32(-1e9)
"""A logit that no search chooses; no log-probability comes near it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Constraints:
    """Rules for the tokens of an output.

    Attributes:
        min_tokens: *end* is not allowed before that many tokens.
        no_repeat_ngram: No n-gram of that many tokens occurs in an output twice, but for those of forced phrases; 0:
            any may.
        words: Words that do not occur in an output.
        forced: Token sequences that occur in every output; for beam search only.
        lengthening: Tokens that make a word longer which they follow: a forced phrase does not count as there if one of
            them comes next.
    """

    min_tokens: int = 0
    no_repeat_ngram: int = 0
    words: Forbidden | None = None
    forced: tuple[Phrase, ...] = ()
    lengthening: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        """Says whether there is any rule."""
        return bool(self.min_tokens or self.no_repeat_ngram or self.words is not None or self.forced)

    def banned(self, tokens: Sequence[int]) -> Iterator[int]:
        """Yields what may not come next by the rules that go by tokens, some of it perhaps twice.

        Args:
            tokens: The output so far.
        """
        if len(tokens) < self.min_tokens:
            yield END
        if self.no_repeat_ngram:
            wanted = missing(tokens, self)[1] if self.forced else ()
            yield from (token for token in _repeating(tokens, self.no_repeat_ngram) if token not in wanted)

    def keep(self, tokens: Sequence[int]) -> int:
        """Returns how many tokens of an output can be kept, where it had to end against the rules."""
        return len(tokens) if self.words is None else self.words.longest_allowed(tokens)


def _repeating(tokens: Sequence[int], size: int) -> Iterator[int]:
    """Yields the tokens that would complete an n-gram that occurred before."""
    start = len(tokens) - (size - 1)
    ending = tuple(tokens[max(start, 0) :])
    for n in range(start):
        if tuple(tokens[n : n + size - 1]) == ending:
            yield tokens[n + size - 1]


def missing(tokens: Sequence[int], rules: Constraints) -> tuple[int, list[int]]:
    """Says how far a text is from containing all forced phrases.

    Returns:
        The tokens that are still to come, and those of them that can come next: the next of every missing phrase.
    """
    text = tuple(tokens)
    left, begun, wanted = 0, 0, []
    for phrase in rules.forced:
        size = len(phrase)
        if any(text[n : n + size] == phrase and _ends(text, n + size, rules) for n in range(len(text) - size + 1)):
            continue
        done = next(n for n in range(min(size - 1, len(text)), -1, -1) if text[len(text) - n :] == phrase[:n])
        left, begun = left + size, max(begun, done)  # a token can serve one phrase only
        wanted += [phrase[done], phrase[0]]
    return left - begun, wanted


def _ends(text: Phrase, place: int, rules: Constraints) -> bool:
    return place == len(text) or text[place] not in rules.lengthening


def ban(
    scores: npt.NDArray[np.float32],
    texts: Sequence[Sequence[int]],
    rules: Sequence[Constraints],
    states: Sequence[int],
    last: Sequence[bool],
) -> None:
    """Sets the scores of what may not come next to -inf, in place.

    A row in which nothing would be left may end, against the rules: an output has to. What it may not have in it is cut
    off then (see `Constraints.keep`).

    Args:
        scores: Logits or log-probabilities, float32 [rows, vocabulary].
        texts: The output so far of each row.
        rules: The rules of each row.
        states: For each row the state of the words of its rules.
        last: For each row whether its text ends behind the next token.
    """
    for row, tokens in enumerate(texts):
        end, constraints = scores[row, END], rules[row]
        if constraints.min_tokens or constraints.no_repeat_ngram:
            scores[row, list(constraints.banned(tokens))] = -np.inf
        if constraints.words is not None:
            scores[row, constraints.words.banned(states[row], last=bool(last[row]))] = -np.inf
        if scores[row].max() <= NEVER / 2:
            scores[row, END] = end
