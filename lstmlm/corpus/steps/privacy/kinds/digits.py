"""Finds runs of digits in a folded text: a cheap test before the costly finders."""

from __future__ import annotations

import re

from lstmlm.corpus.steps.privacy.fold import SEPARATORS

# What people write between the digits of one number: blanks, dots, slashes, brackets, hyphens; and in Japan, the sign
# of a long vowel for a hyphen. Dashes and spaces of other kinds are folded (`lstmlm.corpus.steps.privacy.fold`).
SEPARATOR = r"[ ().\-/\xb7\u30fb\u30fc]"

# Of a text as it is written; in a folded one the other separators do not occur.
_ANY_SEPARATOR = rf"[ ().\-/\xb7\u30fb\u30fc{SEPARATORS}]"

# What follows a digit with which a number begins. The second form is that of the Italian codice fiscale, the one
# identity number without six digits close together. A pattern begins with one set of characters, for then `re` skips
# everything else quickly.
NUMBER = rf"(?:{_ANY_SEPARATOR}{{0,3}}[0-9]){{5,}}|[0-9][A-Za-z][0-9]{{2}}[A-Za-z][0-9]{{3}}[A-Za-z]"
SIGN = re.compile(rf"[0-9](?:{NUMBER})")

_MARGIN = 32


def digit_windows(text: str) -> list[tuple[int, int]]:
    """Returns the parts of a text, in order and apart, that hold a number of six digits or more, with some margin."""
    windows: list[tuple[int, int]] = []
    for run in SIGN.finditer(text):
        start, end = max(0, run.start() - _MARGIN), min(len(text), run.end() + _MARGIN)
        if windows and start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((start, end))
    return windows


def is_whole_number(text: str, start: int, end: int) -> bool:
    """Returns whether the characters are a whole: no letter, digit or further part of a number touches them."""
    # In a long row of digits nearly every answer is this one.
    if text[start - 1 : start] in _DIGITS or text[end : end + 1] in _DIGITS:
        return False
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return not (_PART_BEFORE.search(before) or _PART_AFTER.match(after))


_DIGITS = frozenset("0123456789")

# `x1`, `+1`, `1.1`, `1-1`; a blank between two numbers parts them.
_PART_BEFORE = re.compile(r"[A-Za-z0-9_+]$|[0-9][.,\-/]$")
_PART_AFTER = re.compile(r"[A-Za-z0-9_@]|[.,\-/][0-9]")
