"""The attention of a model to a source while it writes a given text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmlm.decoding.backend import Backend, Floats, pad, start


def attention(backend: Backend, source: Sequence[int], target: Sequence[int]) -> Floats:
    """Returns the weights with which a source is attended to at every token of a text.

    Args:
        backend: A model of pairs.
        source: Token ids, closed by *end*.
        target: Token ids of the text; *end* behind it counts as a token where it is given.

    Returns:
        float32 [target, source]; a row adds up to 1.

    Raises:
        ValueError: The model attends to no source.
    """
    if not backend.closes_source:
        raise ValueError("a language model has no source to attend to")
    read, token = start(backend.closes_source, source)
    rows = backend.encode(*pad([read], len(read)))
    weights = np.zeros([len(target), len(read)], np.float32)
    for place, following in enumerate(target):
        _, found = backend.logits(rows, np.array([token], np.int64))
        if found is None:
            raise ValueError("the model has no attention")
        weights[place], token = found[0], following
    return weights
