"""Which recordings can be learnt from, and how their tokens are laid out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from lstmlm.tokenizer.rows import TokenRows
from lstmlm.tokenizer.special import UNK

UNKNOWN, TOO_SHORT = "unknown_characters", "shorter_than_transcript"
"""Why a recording is left out of the examples: see `reason_against`."""


def steps_needed(tokens: Sequence[int]) -> int:
    """Returns the fewest steps that CTC can write tokens in: one each, and a blank between equal neighbours."""
    return len(tokens) + sum(left == right for left, right in itertools.pairwise(tokens))


def reason_against(frames: int, tokens: Sequence[int], stride: int) -> str | None:
    """Returns why nothing can be learnt from a recording; None where it can.

    Args:
        frames: Frames of the recording.
        tokens: Tokens of its transcript.
        stride: Frames of a step of the network.
    """
    if UNK in tokens:
        return UNKNOWN
    if -(-frames // stride) < max(1, steps_needed(tokens)):
        return TOO_SHORT
    return None


def rows_of(tokens: Sequence[Sequence[int]]) -> TokenRows:
    """Returns token ids as rows of one array."""
    return TokenRows.joined([np.array(row, np.int32) for row in tokens])
