"""Character classes of letters by script, which decide where an e-mail address ends."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator


def _ranges(holds: Callable[[str], bool], codes: range) -> str:
    """Returns the characters for which something holds, as the inside of a set."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _runs(holds, codes))


def _runs(holds: Callable[[str], bool], codes: range) -> Iterator[tuple[int, int]]:
    # Letters follow one another, so places and codes grow alike within a run.
    found = enumerate(code for code in codes if holds(chr(code)))
    for _, run in itertools.groupby(found, lambda item: item[1] - item[0]):
        members = [code for _, code in run]
        yield members[0], members[-1]


LATIN = "A-Za-z\\xaa\\xba\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\u02af\\u0300-\\u036f\\u1e00-\\u1eff"
"""Latin letters with their accents, joined or not; names and addresses of the Internet are mostly of these."""

MARKS = _ranges(lambda char: unicodedata.category(char) in ("Mn", "Mc"), range(0x0370, 0x10000))
"""Signs of vowels and the like, which are parts of words and no letters to `re`."""
