"""What a decoded text must and must not contain, token by token."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.tokenizer import Tokenizer

Phrase = tuple[int, ...]

NEVER = np.float32(-1e9)
"""A logit that no search chooses; no log-probability comes near it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Constraints:
    """Rules for the tokens of an output.

    Attributes:
        min_tokens: *end* is not allowed before that many tokens.
        no_repeat_ngram: No n-gram of that many tokens stands in an output twice; 0: any may.
        forbidden: Token sequences that do not stand in an output.
        forced: Token sequences that stand in every output that ends within its limit; for beam search alone.
    """

    min_tokens: int = 0
    no_repeat_ngram: int = 0
    forbidden: tuple[Phrase, ...] = ()
    forced: tuple[Phrase, ...] = ()

    def __bool__(self) -> bool:
        """Says whether there is any rule."""
        return bool(self.min_tokens or self.no_repeat_ngram or self.forbidden or self.forced)

    def banned(self, tokens: Sequence[int]) -> Iterator[int]:
        """Yields what may not come next, some of it perhaps twice.

        Args:
            tokens: The output so far.
        """
        if len(tokens) < self.min_tokens:
            yield Tokenizer.END
        if self.no_repeat_ngram:
            yield from _repeating(tokens, self.no_repeat_ngram)
        for phrase in self.forbidden:
            start = len(tokens) - (len(phrase) - 1)
            if start >= 0 and tuple(tokens[start:]) == phrase[:-1]:
                yield phrase[-1]


def _repeating(tokens: Sequence[int], size: int) -> Iterator[int]:
    """Yields the tokens that would complete an n-gram that stood before."""
    start = len(tokens) - (size - 1)
    ending = tuple(tokens[max(start, 0) :])
    for n in range(start):
        if tuple(tokens[n : n + size - 1]) == ending:
            yield tokens[n + size - 1]


def ban(scores: npt.NDArray[np.float32], texts: Sequence[Sequence[int]], constraints: Constraints) -> None:
    """Sets the scores of what may not come next to -inf, in place.

    A row in which nothing would be left may end, against the rules: an output has to.

    Args:
        scores: Logits or log-probabilities, float32 [rows, vocabulary].
        texts: The output so far of each row.
        constraints: The rules.
    """
    for row, tokens in enumerate(texts):
        end = scores[row, Tokenizer.END]
        scores[row, list(constraints.banned(tokens))] = -np.inf
        if scores[row].max() <= NEVER / 2:
            scores[row, Tokenizer.END] = end
