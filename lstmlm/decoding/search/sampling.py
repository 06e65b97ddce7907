"""Draws from next-token distributions: temperature, top-k (Fan et al. 2018) and top-p (Holtzman et al. 2020).

A draw is a pure function of the row's logits, its seed and the place of the token, so an output does not depend on what
is decoded with it. The uniform numbers, and the way a draw inverts the cumulative distribution in the order of the
vocabulary, are those of `lstmlm.models.graph_search`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def uniform(seeds: Ints, place: Ints) -> Floats:
    """Returns float32 [rows] in [0, 1), a pure function of seed and place (SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = seeds.astype(np.uint64) + (place.astype(np.uint64) + np.uint64(2)) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def draw(
    logits: Floats, seeds: Ints, place: Ints, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> Ints:
    """Draws a token for each row.

    Args:
        logits: float32 [rows, vocabulary]; -inf, or close to it, is never drawn.
        seeds: int64 [rows].
        place: int64 [rows], index of the token in the output.
        temperature: Divides the logits.
        top_k: Only that many most likely tokens can be drawn; 0: all.
        top_p: Only the fewest most likely tokens that have this probability together can be drawn.

    Returns:
        int64 [rows].
    """
    scaled = logits / np.float32(temperature)
    probabilities = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    kept = _kept(probabilities, top_k, top_p)
    cumulative = np.cumsum(np.where(kept, probabilities, 0), axis=1, dtype=np.float32)
    point = uniform(seeds, place)[:, None] * cumulative[:, -1:]
    drawn = (cumulative <= point).sum(axis=1)
    # Rounding can put the point at the very end, behind the last token that has any probability.
    last = logits.shape[1] - 1 - (kept & (probabilities > 0))[:, ::-1].argmax(axis=1)
    return np.minimum(drawn, last).astype(np.int64)


def _kept(probabilities: Floats, top_k: int, top_p: float) -> npt.NDArray[np.bool_]:
    """Says which tokens can be drawn; the earlier in the vocabulary of two equally likely ones comes first."""
    kept = np.ones(probabilities.shape, bool)
    if not 0 < top_k < probabilities.shape[1] and top_p >= 1:
        return kept
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    if 0 < top_k < probabilities.shape[1]:
        ranked[:, top_k:] = 0
    allowed = ranked > 0
    if top_p < 1:
        before = np.cumsum(ranked, axis=1, dtype=np.float64) - ranked
        allowed &= before < top_p * ranked.sum(axis=1, keepdims=True, dtype=np.float64)
    np.put_along_axis(kept, order, allowed, axis=1)
    return kept
