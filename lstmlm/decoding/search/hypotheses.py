"""Beam search, as pure functions over arrays: which hypotheses continue, which are finished, and how they are ranked.

A step extends every hypothesis by every token and ranks the results by log-probability. One that ends, and ranks among
the first `beam`, is finished; the first `beam` of the others continue. The search of a request stops with `beam`
finished hypotheses or at its limit of tokens, where those that continue are finished as they are. The finished ones
are ranked by

    score(Y) = log P(Y) / lp(Y) + cp(Y),    lp(Y) = ((5 + |Y|) / 6) ** alpha,
    cp(Y) = beta * sum over source tokens i of log(min(1, attention to i, summed over the steps))

(Wu et al. 2016), |Y| counting *end* too. A beam of one is greedy search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.constraints.constraints import NEVER
from lstmlm.tokenizer.special import END

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_LEAST_COVERAGE = 1e-9


class Expansion(NamedTuple):
    """The best extensions of the hypotheses of each request; [requests, 2 * beam], best first.

    Attributes:
        scores: Log-probabilities of the extended texts; -inf where there is no such extension.
        parents: The hypothesis extended, counted within its request.
        tokens: The token added.
    """

    scores: npt.NDArray[np.float64]
    parents: Ints
    tokens: Ints


def expand(scores: npt.NDArray[np.float64], log_probabilities: Floats, tokens: Ints) -> Expansion:
    """Ranks the extensions of every request's hypotheses.

    Args:
        scores: Log-probabilities of the hypotheses, float64 [requests, beam]; -inf where there is none.
        log_probabilities: Of the most likely next tokens of each hypothesis, best first, float32 [requests, beam, k];
            k = beam + 1 is always enough, because at most one of them is *end*.
        tokens: Those tokens, int64 [requests, beam, k].

    Returns:
        The extensions; equally likely ones in the order of their hypotheses.
    """
    requests, beam, k = log_probabilities.shape
    flat = (scores[:, :, None] + log_probabilities).reshape(requests, beam * k)
    flat[flat < NEVER / 2] = -np.inf
    order = np.argsort(-flat, axis=1, kind="stable")[:, : 2 * beam]
    chosen = np.take_along_axis(tokens.reshape(requests, beam * k), order, axis=1)
    return Expansion(np.take_along_axis(flat, order, axis=1), order // k, chosen)


def going_on(found: Expansion, beam: int) -> Expansion:
    """Returns the first `beam` extensions that do not end, [requests, beam]; others fill up with -inf."""
    ends = found.tokens == END
    order = np.argsort(ends, axis=1, kind="stable")[:, :beam]
    scores, parents, tokens, ends = (np.take_along_axis(a, order, axis=1) for a in (*found, ends))
    return Expansion(np.where(ends, -np.inf, scores), parents, tokens)


def ending(found: Expansion, beam: int) -> npt.NDArray[np.bool_]:
    """Says which extensions are finished hypotheses, bool [requests, 2 * beam]."""
    finished = (found.tokens == END) & np.isfinite(found.scores)
    finished[:, beam:] = False
    return finished


def best_of(log_probabilities: Floats, count: int) -> tuple[Floats, Ints]:
    """Returns the `count` highest values of each row and their places, best first.

    Args:
        log_probabilities: float32 [rows, vocabulary].
        count: At most the vocabulary.
    """
    some = np.sort(np.argpartition(-log_probabilities, count - 1, axis=1)[:, :count], axis=1)
    inner = np.argsort(-np.take_along_axis(log_probabilities, some, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(some, inner, axis=1)
    return np.take_along_axis(log_probabilities, order, axis=1), order.astype(np.int64)


def log_softmax(logits: Floats) -> Floats:
    """Returns log-probabilities, float32 [rows, vocabulary]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def length_penalty(length: int, alpha: float) -> float:
    """Returns lp above, for a text of `length` tokens."""
    return ((5 + length) / 6) ** alpha


def coverage_penalty(coverage: Floats, beta: float) -> float:
    """Returns cp above.

    Args:
        coverage: Attention to every source token, summed over the steps, float32 [source].
        beta: The factor.
    """
    return beta * float(np.log(np.clip(coverage, _LEAST_COVERAGE, 1)).sum())
