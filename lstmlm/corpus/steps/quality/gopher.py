"""The quality rules of Gopher (Rae et al. 2021, "Scaling Language Models", appendix A.1.1).

Where the paper leaves room, the reading is that of later reimplementations: punctuation counts as a token in the three
ratios but not in the length of a document or in the mean length of its words.

The words of a text in a script without spaces are pieces of about a word (`lstmlm.corpus.steps.quality.words`), so that
lengths and ratios compare. There punctuation does not count in the share of words with letters, since fewer and longer
words are counted than a segmenter finds; and the rules that say what English words are like, by mean length and stop
words, are not applied.
"""

from __future__ import annotations

import numpy as np

from lstmlm.corpus.steps.quality.texts import Reasons, Texts
from lstmlm.corpus.steps.quality.tokens import Bools

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
    hashes = np.array([text.count("#") if "#" in text else 0 for text in texts])  # `in` is far faster than `count`
    ellipses = np.array([text.count("...") + (text.count("…") if "…" in text else 0) for text in texts])
    spaced = 2 * found.total(found.is_word & found.is_unspaced) <= words
    lettered = found.total(found.is_alphabetic) / np.maximum(np.where(spaced, found.tokens, words), 1)
    broken: list[tuple[str, Bools]] = [
        ("gopher_short_document", words < MIN_WORDS),
        ("gopher_long_document", words > MAX_WORDS),
        ("gopher_short_words", spaced & (mean < MIN_MEAN_WORD_LENGTH)),
        ("gopher_long_words", spaced & (mean > MAX_MEAN_WORD_LENGTH)),
        ("gopher_hashes", hashes / tokens > MAX_SYMBOLS_PER_TOKEN),
        ("gopher_ellipses", ellipses / tokens > MAX_SYMBOLS_PER_TOKEN),
        ("gopher_bullet_lines", np.array([_mostly_bullets(text) for text in texts], np.bool_)),
        ("gopher_ellipsis_lines", np.array(list(map(_often_breaks_off, texts, ellipses.tolist())), np.bool_)),
        ("gopher_few_letters", lettered < MIN_ALPHABETIC_TOKENS),
        ("gopher_few_stop_words", spaced & (found.count_distinct(STOP_WORDS) < MIN_STOP_WORDS)),
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


def _mostly_bullets(text: str) -> bool:
    """Returns whether too many lines start with a bullet."""
    # A text with fewer bullets than that need not be split: it has at least as many lines as line feeds.
    if text.count("-") + text.count("•") <= MAX_BULLET_LINES * text.count("\n"):
        return False
    lines = text.splitlines()
    return sum(line.lstrip().startswith(_BULLETS) for line in lines) > MAX_BULLET_LINES * len(lines)


def _often_breaks_off(text: str, ellipses: int) -> bool:
    """Returns whether too many lines of a text with that many ellipses end in one."""
    if ellipses <= MAX_ELLIPSIS_LINES * text.count("\n"):
        return False
    lines = text.splitlines()
    return sum(line.rstrip().endswith(_ELLIPSES) for line in lines) > MAX_ELLIPSIS_LINES * len(lines)
