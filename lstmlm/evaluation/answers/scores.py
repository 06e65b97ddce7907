"""Exact match and F1 of answers (Rajpurkar et al. 2016), for scripts with and without spaces.

Texts are compared as the official script of SQuAD 1.1 does it: without case, ASCII punctuation and articles, word by
word. Characters of scripts that do not separate words by spaces are words of their own, as the scripts of CMRC 2018 and
DRCD have it, and their punctuation does not count either.
"""

from __future__ import annotations

import collections
import functools
import re
import string
from collections.abc import Callable, Sequence

import numpy as np

from lstmlm.corpus.wording.scripts import letters_per_word, runs_of

_PUNCTUATION = re.compile(
    f"[{re.escape(string.punctuation)}\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def words(text: str) -> list[str]:
    """Returns the words of an answer that are compared."""
    plain = _ARTICLES.sub(" ", _PUNCTUATION.sub("", text.lower()))
    if not plain.isascii():
        plain = _unspaced().sub(r" \g<0> ", plain)
    return plain.split()


@functools.cache
def _unspaced() -> re.Pattern[str]:
    """Returns the pattern of one character of a script without spaces."""
    return re.compile(runs_of(np.flatnonzero(letters_per_word()).tolist()).pattern.removesuffix("{1,}"))


def exact(output: str, answer: str) -> float:
    """Returns 1 where an output has the words of an answer, and else 0."""
    return float(words(output) == words(answer))


def f1(output: str, answer: str) -> float:
    """Returns the harmonic mean of the shares of words that an output and an answer have in common."""
    found, right = words(output), words(answer)
    if not found or not right:
        return float(found == right)
    common = sum((collections.Counter(found) & collections.Counter(right)).values())
    return 2 * common / (len(found) + len(right))


def mean_of_best(score: Callable[[str, str], float], outputs: Sequence[str], answers: Sequence[Sequence[str]]) -> float:
    """Returns the mean over outputs of the score against the answer that it is best for, in percent.

    Args:
        score: `exact` or `f1`.
        outputs: One for each question.
        answers: The accepted answers of each question; of a question without any, the empty one is right.
    """
    best = best_of(score, outputs, answers)
    return 100.0 * sum(best) / max(1, len(best))


def best_of(
    score: Callable[[str, str], float], outputs: Sequence[str], answers: Sequence[Sequence[str]]
) -> list[float]:
    """Returns the score of each output against the answer that it is best for; see `mean_of_best`."""
    return [max(score(output, one) for one in some or ("",)) for output, some in zip(outputs, answers, strict=True)]


def calibration_error(confidences: Sequence[float], right: Sequence[float], bins: int = 10) -> float:
    """Returns the expected calibration error (Guo et al. 2017), from 0 to 1.

    Args:
        confidences: From 0 to 1.
        right: 1 where the answer was right, and else 0.
        bins: Intervals of equal width that confidences are sorted into.
    """
    if not confidences:
        return 0.0
    given, truth = np.array(confidences), np.array(right)
    place = np.minimum((given * bins).astype(int), bins - 1)
    gaps = [abs((given[place == n] - truth[place == n]).sum()) for n in range(bins)]
    return float(sum(gaps) / len(given))
