"""What a generator finds in texts: how likely each token is, and what its last LSTM layer holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lstmlm.tokenizer.special import END

if TYPE_CHECKING:
    from lstmlm.models.language_model import LanguageModel

ROWS = 64
"""Texts that are read together; there are always so many rows, so what is found in one does not depend on others."""
_MULTIPLE = 32

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """What was found in texts.

    Attributes:
        likelihood: float64 [texts, 2]: mean and standard deviation of the negative log-probabilities of the tokens, in
            nats.
        hidden: float64 [texts, 2 * units]: mean and standard deviation over the tokens of what the last layer gives.
    """

    likelihood: Floats
    hidden: Floats

    def some(self, places: npt.NDArray[np.int64]) -> Reading:
        """Returns what was found in some of the texts."""
        return Reading(self.likelihood[places], self.hidden[places])

    @property
    def features(self) -> Floats:
        """What a head goes by: both, float64 [texts, 2 + 2 * units]."""
        return np.concatenate([self.likelihood, self.hidden], axis=1)


def read(network: LanguageModel, texts: Sequence[Sequence[int]], prompts: Sequence[int]) -> Reading:
    """Reads texts, each from the start of a stream.

    Args:
        network: The generator.
        texts: Token ids of each.
        prompts: How many first tokens of each are given, and count for nothing; fewer than it has.
    """
    import tensorflow as tf

    score = tf.function(network.score_tokens, reduce_retracing=True)
    likelihood = np.zeros([len(texts), 2])
    hidden = np.zeros([len(texts), 2 * network.stack.units])
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), place))
    for start in range(0, len(order), ROWS):
        places = order[start : start + ROWS]
        longest = -(-max(len(texts[place]) for place in places) // _MULTIPLE) * _MULTIPLE
        tokens = np.zeros([ROWS, longest + 1], np.int32)
        tokens[:, 0] = END
        inside = np.zeros([ROWS, longest], np.float64)
        for row, place in enumerate(places):
            tokens[row, 1 : len(texts[place]) + 1] = texts[place]
            inside[row, prompts[place] : len(texts[place])] = 1
        nats, outputs, _ = score(tf.constant(tokens), network.zero_state(tf.constant(ROWS)))
        likelihood[places] = _pooled(nats.numpy()[:, :, None], inside)[: len(places)]
        hidden[places] = _pooled(outputs.numpy(), inside)[: len(places)]
    return Reading(likelihood, hidden)


def _pooled(values: npt.NDArray[np.float32], inside: Floats) -> Floats:
    """Returns mean and standard deviation over the tokens that count, float64 [rows, 2 * size].

    Args:
        values: float32 [rows, time, size].
        inside: float64 [rows, time]: 1 where a token counts.
    """
    count = np.maximum(inside.sum(axis=1), 1)[:, None]
    mean = np.einsum("rts,rt->rs", values.astype(np.float64), inside) / count
    square = np.einsum("rts,rt->rs", values.astype(np.float64) ** 2, inside) / count
    return np.concatenate([mean, np.sqrt(np.maximum(square - mean**2, 0))], axis=1)
