"""Perplexity per token and per word."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lstmlm.corpus.wording.split import split_words


def perplexity(nll_sum: float, tokens: float) -> float:
    """Returns exp(mean negative log-likelihood).

    Args:
        nll_sum: Negative log-likelihood of all tokens, in nats.
        tokens: Number of tokens it was summed over; with none there is nothing to measure and the result is nan.
    """
    if tokens <= 0:
        return math.nan
    mean = nll_sum / tokens
    return math.exp(mean) if mean < 700 else math.inf  # exp overflows a float just above


def word_perplexity(nll_sum: float, words: int) -> float:
    """Returns the perplexity renormalised to words, which models with different vocabularies can be compared by.

    The sum has to hold every token, the ends of lines too: they are part of what a word-level model pays for as well.
    With `words` including one `<eos>` a line this is the figure that word-level papers report.

    Args:
        nll_sum: Negative log-likelihood of all tokens including the ends of lines, in nats.
        words: Number of words of the same text (see `count_words`).
    """
    return perplexity(nll_sum, words)


def count_words(texts: Iterable[str]) -> int:
    """Returns the number of words in all texts together.

    Words are what spaces separate; in scripts without spaces between words every character counts (`split_words`), as
    the perplexity of Chinese is reported.
    """
    return sum(len(split_words(text)) for text in texts)
