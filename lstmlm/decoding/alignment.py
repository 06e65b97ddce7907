"""Aligns each output token with a source token by the attention weights (a hard alignment).

Where a model writes the unknown token, its reader wants the source's own word (Luong et al. 2015, *Addressing the rare
word problem*; Jean et al. 2015): a name or a number that no vocabulary holds is most often the same in both languages.
"""

from __future__ import annotations

import numpy as np

from lstmlm.decoding.backend import Floats, Ints

NOTHING = -1
"""The position of a token for which there is nothing to attend to: a source of only *end*."""


def most_attended(attention: Floats | None, lengths: Ints) -> Ints:
    """Returns the source position that each row attends to most; never that of *end*, which has no text.

    Args:
        attention: float32 [rows, source], as `Backend.best` and `Backend.logits` give it.
        lengths: Source tokens of each record, *end* included, int64 [records]; its rows are adjacent.

    Returns:
        int64 [rows]; `NOTHING` where the source is only *end*.

    Raises:
        ValueError: The model attends to no source.
    """
    if attention is None:
        raise ValueError("a model without attention aligns nothing")
    rows, source = attention.shape
    inside = np.arange(source) < np.repeat(lengths - 1, rows // len(lengths))[:, None]
    return np.where(inside.any(axis=1), np.where(inside, attention, -1).argmax(axis=1), NOTHING)
