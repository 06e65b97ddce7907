"""Beam search with forced phrases, which every output contains.

Hypotheses compete with those that have got as far in the phrases as they have, so that one with a rare phrase is not
crowded out by likelier ones without it (Hokamp and Liu 2017; a beam of a fixed size, as Post and Vilar 2018).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.constraints.constraints import NEVER, Constraints, missing
from lstmlm.decoding.search.hypotheses import Expansion, best_of
from lstmlm.tokenizer.special import END, PAD


def expand_forced(
    scores: npt.NDArray[np.float64],
    log_probabilities: npt.NDArray[np.float32],
    texts: Sequence[Sequence[int]],
    rules: Constraints,
    room: int,
) -> Expansion:
    """Ranks the extensions of one request's hypotheses as `search.hypotheses.expand` does, fairly to the phrases.

    An extension that leaves too little room for the phrases that are still missing is none: an output that reaches its
    limit has them all.

    Args:
        scores: Log-probabilities of the hypotheses, float64 [beam]; -inf where there is none.
        log_probabilities: Of every next token, float32 [beam, vocabulary].
        texts: The hypotheses.
        rules: Say what they must contain.
        room: Tokens that a hypothesis may still have, the next one included.

    Returns:
        [1, 2 * beam]: those that end come first if they rank among the first `beam` that have all phrases.
    """
    beam, vocabulary = log_probabilities.shape
    _, likely = best_of(log_probabilities, min(beam + 1, vocabulary))
    found: dict[int, list[tuple[float, int, int]]] = {}  # tokens still to come -> extensions
    for row in range(beam):
        left, wanted = missing(texts[row], rules)
        for token in sorted({*likely[row].tolist(), *wanted}):
            score = float(scores[row]) + float(log_probabilities[row, token])
            if score < NEVER / 2 or (token == END and left):
                continue
            after = 0 if token == END else missing([*texts[row], token], rules)[0]
            if after <= room - 1:
                found.setdefault(after, []).append((-score, row, token))
    complete = sorted(found.get(0, []))[:beam]
    ends = [entry for entry in complete if entry[2] == END]
    kept = [[e for e in sorted(found[left]) if e[2] != END] for left in sorted(found)]
    fair = [entry for turn in itertools.zip_longest(*kept) for entry in turn if entry is not None][:beam]
    return _expansion([*ends, *sorted(fair)], 2 * beam)


def _expansion(entries: Sequence[tuple[float, int, int]], size: int) -> Expansion:
    scores = np.full([1, size], -np.inf)
    parents, tokens = np.zeros([1, size], np.int64), np.full([1, size], PAD, np.int64)
    for n, (score, row, token) in enumerate(entries):
        scores[0, n], parents[0, n], tokens[0, n] = -score, row, token
    return Expansion(scores, parents, tokens)
