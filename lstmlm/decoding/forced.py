"""Beam search with phrases that every output has to contain.

Hypotheses compete with those that have got as far in the phrases as they have, so that one with a rare phrase is not
crowded out by likelier ones without it (Hokamp and Liu 2017; a beam of a fixed size, as Post and Vilar 2018).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.beam import Expansion, best_of
from lstmlm.decoding.constraints import NEVER, Phrase
from lstmlm.tokenizer import Tokenizer


def missing(tokens: Sequence[int], phrases: Sequence[Phrase]) -> tuple[int, list[int]]:
    """Says how far a text is from containing all phrases.

    Returns:
        The tokens that are still to come, and those of them that can come next: the next of every missing phrase.
    """
    text = tuple(tokens)
    left, begun, wanted = 0, 0, []
    for phrase in phrases:
        size = len(phrase)
        if any(text[n : n + size] == phrase for n in range(len(text) - size + 1)):
            continue
        done = next(n for n in range(min(size - 1, len(text)), -1, -1) if text[len(text) - n :] == phrase[:n])
        left, begun = left + size, max(begun, done)  # a token can serve one phrase alone
        wanted += [phrase[done], phrase[0]]
    return left - begun, wanted


def expand_forced(
    scores: npt.NDArray[np.float64],
    log_probabilities: npt.NDArray[np.float32],
    texts: Sequence[Sequence[int]],
    phrases: Sequence[Phrase],
) -> Expansion:
    """Ranks the extensions of one request's hypotheses as `lstmlm.decoding.beam.expand` does, fairly to the phrases.

    Args:
        scores: Log-probabilities of the hypotheses, float64 [beam]; -inf where there is none.
        log_probabilities: Of every next token, float32 [beam, vocabulary].
        texts: The hypotheses.
        phrases: What they shall contain.

    Returns:
        [1, 2 * beam]: those that end come first if they rank among the first `beam` that have all phrases.
    """
    beam, vocabulary = log_probabilities.shape
    _, likely = best_of(log_probabilities, min(beam + 1, vocabulary))
    found: dict[int, list[tuple[float, int, int]]] = {}  # tokens still to come -> extensions
    for row in range(beam):
        left, wanted = missing(texts[row], phrases)
        for token in sorted({*likely[row].tolist(), *wanted}):
            score = float(scores[row]) + float(log_probabilities[row, token])
            if score < NEVER / 2 or (token == Tokenizer.END and left):
                continue
            after = 0 if token == Tokenizer.END else missing([*texts[row], token], phrases)[0]
            found.setdefault(after, []).append((-score, row, token))
    complete = sorted(found.get(0, []))[:beam]
    ends = [entry for entry in complete if entry[2] == Tokenizer.END]
    kept = [[e for e in sorted(found[left]) if e[2] != Tokenizer.END] for left in sorted(found)]
    fair = [entry for turn in itertools.zip_longest(*kept) for entry in turn if entry is not None][:beam]
    return _expansion([*ends, *sorted(fair)], 2 * beam)


def _expansion(entries: Sequence[tuple[float, int, int]], size: int) -> Expansion:
    scores = np.full([1, size], -np.inf)
    parents, tokens = np.zeros([1, size], np.int64), np.full([1, size], Tokenizer.PAD, np.int64)
    for n, (score, row, token) in enumerate(entries):
        scores[0, n], parents[0, n], tokens[0, n] = -score, row, token
    return Expansion(scores, parents, tokens)
