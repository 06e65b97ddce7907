"""Unicode's normal form C in linear time, whatever the text."""

from __future__ import annotations

import functools
import re
import sys
import unicodedata

from lstmlm.corpus.wording.scripts import runs_of

_LONGEST = 30
"""Combining marks in a row that are left to the library; no language needs more (Unicode's Stream-Safe Text Format)."""


def nfc(text: str) -> str:
    """Returns a text in normal form C.

    The library sorts the marks of a letter by insertion, which takes quadratic time for a letter with 100,000 marks. A
    long run is put in its canonical order first, so that nothing is left to sort.

    Args:
        text: Any string.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", _long_runs().sub(_in_order, text))


def _in_order(run: re.Match[str]) -> str:
    marks = run[0]
    starts = range(0, len(marks), _LONGEST)
    parts = "".join(unicodedata.normalize("NFD", marks[start : start + _LONGEST]) for start in starts)
    return "".join(sorted(parts, key=unicodedata.combining))  # stable, as the canonical order is


@functools.cache
def _long_runs() -> re.Pattern[str]:
    marks = (code for code in range(sys.maxunicode + 1) if unicodedata.combining(chr(code)))
    return runs_of(marks, _LONGEST + 1)
