"""Reads digits and signs of all scripts as their ASCII counterparts, so that each finder knows one form of each.

Digits of any script become 0 to 9, full-width and small forms the characters they correspond to, dashes `-`, and
spaces a blank; characters that are not seen (soft hyphens, joiners, marks of direction) are left out. Spans that are
found in the folded text are given back in those of the text itself.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from lstmlm.corpus.steps.privacy.spans import PiiSpan

_BMP = 0x10000
HIDDEN = (
    "\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_DASHES = "\u2010\u2011\u2012\u2013\u2015\u2043\u2212\ufe58\ufe63"
_SPACES = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_SMALL = {"\ufe52": ".", "\ufe55": ":", "\ufe59": "(", "\ufe5a": ")", "\ufe62": "+", "\ufe6b": "@", "\uff61": "."}
_DIGITS = {
    code: str(unicodedata.decimal(chr(code)))
    for code in range(0x80, 0x20000)  # the planes above have none
    if unicodedata.category(chr(code)) == "Nd"
}
_TABLE: dict[int, str] = {
    **_DIGITS,
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **{ord(small): plain for small, plain in _SMALL.items()},
    **{ord(dash): "-" for dash in _DASHES},
    **{ord(space): " " for space in _SPACES},
    ord("\u066b"): ".",  # the decimal separators of Arabic
    ord("\u066c"): ",",
    **{ord(hidden): "" for hidden in HIDDEN},
}
SEPARATORS = re.escape(
    "".join(chr(code) for code, plain in _TABLE.items() if plain in ("", " ", "-", ".", "(", ")", "/"))
)
"""What may part the digits of a number before it is folded, for a set of characters of `re`."""


def _any_of(codes: Iterable[int]) -> str:
    return "[" + "".join(re.escape(chr(code)) for code in codes) + "]"


# A set with characters of the first plane only is looked up at the speed of reading, another takes a hundred times as
# long.
_FOLDABLE = re.compile(_any_of(code for code in _TABLE if code < _BMP) + "+")
_FOLDABLE_ABOVE = re.compile(_any_of(code for code in _TABLE if code >= _BMP) + "+")
_UNSEEN = re.compile(f"[{HIDDEN}]+")
_ABOVE = re.compile("[\U00010000-\U0010ffff]")

# What a first look searches for: characters without which a text has the signs of personal data in ASCII, or has none.
_SIGNS = [code for code in (*_DIGITS, ord("\uff20"), ord("\ufe6b")) if code < _BMP]
_IS_SIGN = re.compile(_any_of(_SIGNS))
_SEGMENTED = 0x1FBF0  # digits of a pocket calculator: emoji have the same first half in UTF-16, and few the second
_LEADS = {0xD800 + ((code - _BMP) >> 10) for code in _DIGITS if _BMP <= code < _SEGMENTED}
_TRAILS = {0xDC00 + (code & 0x3FF) for code in _DIGITS if code >= _SEGMENTED}
_SIGNS_UNITS = np.zeros(_BMP, np.bool_)
_SIGNS_UNITS[[*_SIGNS, *_LEADS, *_TRAILS]] = True
_FIRST = min(_SIGNS)
_MANY = 4096  # characters from which on arrays are quicker


@dataclasses.dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: The text to look in.
        places: Where each of its characters is in the text itself; None where nothing was left out.
    """

    text: str
    places: Sequence[int] | None = None

    def original(self, span: PiiSpan) -> PiiSpan:
        """Returns the span of the text itself."""
        if self.places is None:
            return span
        return PiiSpan(self.places[span.start], self.places[span.end - 1] + 1, span.kind)


def needs_fold(text: str) -> bool:
    """Returns whether a text has digits or an @ of another form than ASCII; for a first look, so it is quick."""
    if text.isascii() or _is_latin_1(text):
        return False
    if len(text) < _MANY and not _has_planes_above(text):
        return _IS_SIGN.search(text) is not None
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    return bool(_SIGNS_UNITS[units[units >= _FIRST]].any())


def fold(text: str) -> Folded:
    """Returns the folded text and where its characters were."""
    if text.isascii():
        return Folded(text)
    places = None
    if _UNSEEN.search(text):
        seen = bytearray(b"\1" * len(text))
        for run in _UNSEEN.finditer(text):
            seen[run.start() : run.end()] = bytes(len(run[0]))
        places = [place for place, is_seen in enumerate(seen) if is_seen]
    folded = _FOLDABLE.sub(_translate, text)
    return Folded(_FOLDABLE_ABOVE.sub(_translate, folded) if _has_planes_above(text) else folded, places)


def _translate(run: re.Match[str]) -> str:
    return run[0].translate(_TABLE)


def _is_latin_1(text: str) -> bool:
    # CPython keeps a text in 1, 2 or 4 bytes a character, as its largest needs: one look instead of a pass.
    return sys.getsizeof(text) < 2 * len(text)


def _has_planes_above(text: str) -> bool:
    return sys.getsizeof(text) >= 4 * len(text) and _ABOVE.search(text) is not None
