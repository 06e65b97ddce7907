"""E-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmlm.corpus.privacy.spans import Span

# Looked for from the @ on, for a pattern that begins with any letter would be tried at every letter of the text.
SIGN = re.compile(r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(xn--[A-Za-z0-9-]{2,59}|[^\W\d_]{2,24})(?!\w)")
_LOCAL = re.compile(r"[^\W_](?:[\w.+%&'-]{0,63})\Z|\w{1,64}\Z")
_LONGEST_LOCAL = 64

# `icon@2x.png`
_FILES = frozenset({"gif", "jpeg", "jpg", "png", "svg", "webp"})


def find_emails(text: str) -> Iterator[Span]:
    """Yields addresses such as `ann.lee+news@mail.example.org`, in any script; `ann at example dot org` is not one."""
    for domain in SIGN.finditer(text):
        at = domain.start()
        local = _LOCAL.search(text, max(0, at - _LONGEST_LOCAL), at)
        if local and domain[1].lower() not in _FILES and text[at - 1] != ".":
            yield Span(local.start(), domain.end(), "email")
