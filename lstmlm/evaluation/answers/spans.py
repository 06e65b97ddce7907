"""Exact match and F1 of spans of tokens, for evaluations during training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def span_scores(predicted: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Compares the best spans of a batch with the right ones; examples without an answer do not count.

    Args:
        predicted: `start` and `end`, int [batch], the first and the last token.
        batch: `starts` and `ends`, int [batch, answers], with `starts_length`, int [batch]; `is_example`, int [batch].

    Returns:
        `exact` and `f1`: the sum over the examples of the best score against a right span, in percent, and the number.
    """
    counted = np.arange(batch["starts"].shape[1]) < batch["starts_length"][:, None]
    first, last = predicted["start"][:, None], predicted["end"][:, None]
    same = (first == batch["starts"]) & (last == batch["ends"])
    common = np.maximum(0, np.minimum(last, batch["ends"]) - np.maximum(first, batch["starts"]) + 1)
    f1 = 2.0 * common / ((last - first + 1) + (batch["ends"] - batch["starts"] + 1))
    asked = (batch["starts_length"] > 0) & (batch["is_example"] > 0)
    best = {name: (scores * counted).max(axis=1, initial=0.0) for name, scores in (("exact", same), ("f1", f1))}
    return {name: (100.0 * float(scores[asked].sum()), float(asked.sum())) for name, scores in best.items()}
