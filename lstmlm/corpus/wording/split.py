"""Splits any text into words: at spaces, and every letter by itself where a script has no spaces between words.

What counts as such a script is in `lstmlm.corpus.wording.scripts`. Perplexity per character is what papers on Chinese
report, and ROUGE by characters is what they measure summaries by; no segmenter decides what a word is.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
import unicodedata
from collections.abc import Iterator

import numpy as np

from lstmlm.corpus.wording.scripts import FIRST, letters_per_word, ranges_of


def split_words(text: str) -> list[str]:
    """Returns the words of a text, in order, as they are written.

    A word is what is between spaces; a letter of a script without spaces is a word, together with the vowel signs and
    tone marks on it. White space is what `str.split` splits at.

    Args:
        text: Any string.
    """
    return text.split() if _is_spaced(text) else [match.group() for match in _words().finditer(text)]


def first_words(text: str, count: int) -> str:
    """Returns the beginning of a text: so many words, with what is between them as it is.

    Args:
        text: Any string.
        count: Words that are kept.
    """
    ends = [match.end() for match in itertools.islice(_words().finditer(text), max(count, 0))]
    return text[: ends[-1]].lstrip() if ends else ""


def terms(text: str) -> list[str]:
    """Returns the words of a text without punctuation, in lower case, for comparisons in any script.

    Unlike `split_words` it splits words at punctuation: "l'été" has two terms.

    Args:
        text: Any string.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [term for term in _terms().findall(folded) if any(map(str.isalnum, term))]


def _is_spaced(text: str) -> bool:
    return text.isascii() or max(text) < chr(FIRST)


@functools.cache
def _unspaced() -> str:
    """Returns the letters of scripts without spaces, as the inside of a character class."""
    return ranges_of(np.flatnonzero(letters_per_word()).tolist())


@functools.cache
def _marks() -> str:
    """Returns the marks on letters and the joiners between them, as the inside of a character class."""
    return ranges_of(_marks_in_unicode()) + "\u200c\u200d"


def _marks_in_unicode() -> Iterator[int]:
    return (code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Mn", "Mc"))


@functools.cache
def _words() -> re.Pattern[str]:
    return re.compile(f"[{_unspaced()}][{_marks()}]*|[^\\s{_unspaced()}]+")


@functools.cache
def _terms() -> re.Pattern[str]:
    return re.compile(f"[{_unspaced()}][{_marks()}]*|(?:(?![{_unspaced()}])[\\w{_marks()}])+")
