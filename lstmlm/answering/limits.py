"""Sizes that a reader has when it answers."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in tokens, of which `lstmlm.answering.examples.Encoder` has the same.

    Attributes:
        longest: Of a window of a passage.
        stride: From one window to the next.
        question: Of a question.
        no_answer: Whether there may be no answer in a passage.
    """

    longest: int
    stride: int
    question: int
    no_answer: bool
