"""The quality rules of Gopher (Rae et al. 2021, "Scaling Language Models", appendix A.1.1).

Where the paper leaves room, the reading is that of later reimplementations: punctuation counts as a token in the three
ratios but not in the length of a document or in the mean length of its words.
"""

from __future__ import annotations

import numpy as np

from lstmlm.corpus.quality.texts import Reasons, Texts
from lstmlm.corpus.quality.tokens import Bools

MIN_WORDS = 50
MAX_WORDS = 100_000
MIN_MEAN_WORD_LENGTH = 3.0
MAX_MEAN_WORD_LENGTH = 10.0
MAX_SYMBOLS_PER_TOKEN = 0.1
MAX_BULLET_LINES = 0.9
MAX_ELLIPSIS_LINES = 0.3
MIN_ALPHABETIC_TOKENS = 0.8
MIN_STOP_WORDS = 2
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

_BULLETS = ("•", "-")
_ELLIPSES = ("...", "…")


def gopher(block: Texts) -> Reasons:
    """Returns, for each text, the first Gopher quality rule that it breaks, or None.

    Args:
        block: The texts, each a whole document.
    """
    texts, found = block.texts, block.words
    words = found.total(found.is_word)
    tokens = np.maximum(found.tokens, 1)
    mean = found.total(np.where(found.is_word, found.lengths, 0)) / np.maximum(words, 1)
    hashes = np.array([text.count("#") for text in texts])
    ellipses = np.array([text.count("...") + text.count("…") for text in texts])
    alphabetic = found.total(found.is_alphabetic)
    broken: list[tuple[str, Bools]] = [
        ("gopher_short_document", words < MIN_WORDS),
        ("gopher_long_document", words > MAX_WORDS),
        ("gopher_short_words", mean < MIN_MEAN_WORD_LENGTH),
        ("gopher_long_words", mean > MAX_MEAN_WORD_LENGTH),
        ("gopher_hashes", hashes / tokens > MAX_SYMBOLS_PER_TOKEN),
        ("gopher_ellipses", ellipses / tokens > MAX_SYMBOLS_PER_TOKEN),
        ("gopher_bullet_lines", np.array([bullet_lines(text) > MAX_BULLET_LINES for text in texts], np.bool_)),
        ("gopher_ellipsis_lines", np.array([ellipsis_lines(text) > MAX_ELLIPSIS_LINES for text in texts], np.bool_)),
        ("gopher_few_letters", alphabetic / tokens < MIN_ALPHABETIC_TOKENS),
        ("gopher_few_stop_words", found.count_distinct(STOP_WORDS) < MIN_STOP_WORDS),
    ]
    return first_broken(broken, len(texts))


def first_broken(broken: list[tuple[str, Bools]], count: int) -> Reasons:
    """Returns the name of the first rule that each of `count` texts breaks, or None.

    Args:
        broken: For each rule its name and, of shape (count,), whether a text breaks it.
        count: Texts there are.
    """
    reasons: Reasons = [None] * count
    for name, texts in reversed(broken):
        for index in np.flatnonzero(texts):
            reasons[index] = name
    return reasons


def bullet_lines(text: str) -> float:
    """Returns the share of lines that start with a bullet, 0 to 1."""
    if "•" not in text and "-" not in text:
        return 0.0
    lines = text.splitlines()
    return sum(line.lstrip().startswith(_BULLETS) for line in lines) / len(lines)


def ellipsis_lines(text: str) -> float:
    """Returns the share of lines that end with an ellipsis, 0 to 1."""
    if "..." not in text and "…" not in text:
        return 0.0
    lines = text.splitlines()
    return sum(line.rstrip().endswith(_ELLIPSES) for line in lines) / len(lines)
