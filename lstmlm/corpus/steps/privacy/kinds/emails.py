"""E-mail addresses."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from lstmlm.corpus.steps.privacy.fold import HIDDEN
from lstmlm.corpus.steps.privacy.kinds.email_domains import domain_end
from lstmlm.corpus.steps.privacy.kinds.scripts import LATIN, MARKS
from lstmlm.corpus.steps.privacy.spans import PiiSpan

# Looked for from the @ on: a pattern that begins with any letter would be tried at every letter of the text, and `re`
# skips to one character many times as quickly as to one of a set.
_SIGN = re.compile(r"@(?=[^\W_]|\[[0-9A-Ia-i])")

# Other ways to write an @ that are nothing else: of URLs, of HTML, and `ann (at) example.org`.
_ESCAPED = tuple(
    re.compile(rf"{written}(?=[^\W_])", re.IGNORECASE)
    for written in ("%40", "&#(?:64|x40);", r"\[ ?at ?\] ?", r"\( ?at ?\) ?", r"\{ ?at ?\} ?")
)
# In a text that is not folded yet, something that is not seen may follow.
_FIRST = re.compile(rf"@[^\W_]|@[\[{HIDDEN}]")

_LONGEST_LOCAL = 64  # RFC 5321

# Local parts, read backwards: in letters of Latin, in those of any other script, in quotes.
_LATIN_LOCAL = re.compile(rf"[{LATIN}0-9_+%&'\-][{LATIN}0-9_.+%&'\-]*")
_OTHER_LOCAL = re.compile(rf"(?:\w|[{MARKS}])(?:[\w.+\-]|[{MARKS}])*")
_QUOTED = re.compile(r"\"[^\"\n]{1,64}\"")
_NOT_FIRST = ".'%&-"
_RETURN_PATH = re.compile(rf"=([{LATIN}0-9_.+\-]*[+\-][{LATIN}0-9_.+\-]*)")

# `icon@2x.png`
_FILES = (".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")


def may_hold_emails(text: str) -> bool:
    """Returns whether a text can hold an address, at about the speed of reading."""
    return _FIRST.search(text) is not None or any(escaped.search(text) for escaped in _ESCAPED)


def find_emails(text: str) -> Iterator[PiiSpan]:
    """Yields addresses such as `ann.lee+news@mail.example.org`, in any script; `ann at example dot org` is not one.

    Letters of another script that touch an address in Latin letters, as words do in Chinese, are not part of it.

    Args:
        text: Folded (`lstmlm.corpus.steps.privacy.fold`).
    """
    for sign in itertools.chain(*(written.finditer(text) for written in (_SIGN, *_ESCAPED))):
        start = _local_start(text, sign.start())
        end = domain_end(text, sign.end()) if start < sign.start() else None
        if end is not None and not text[sign.end() : end].lower().endswith(_FILES):
            yield PiiSpan(start, end, "email")


def _local_start(text: str, at: int) -> int:
    """Returns where the local part before an @ begins; the place of the @ where there is none."""
    if text[at] in "[({" and text[at - 1 : at] == " ":
        at -= 1
    first = max(0, at - _LONGEST_LOCAL)
    backwards = text[first:at][::-1]
    local = _LATIN_LOCAL.match(backwards) or _OTHER_LOCAL.match(backwards)
    if local is None:
        quoted = _QUOTED.match(text[max(0, first - 2) : at][::-1])
        return at - len(quoted[0]) if quoted else at
    kept = local[0].rstrip(_NOT_FIRST)
    if "." in kept or "+" in kept:
        # `bounces+ann=example.org@list.org`: the address that a message came back from is a part of another.
        path = _RETURN_PATH.match(backwards, len(kept))
        kept += "=" + path[1].rstrip(_NOT_FIRST) if path else ""
    return at - len(kept)
