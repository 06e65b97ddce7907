"""International bank account numbers (ISO 13616)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban

from lstmlm.corpus.privacy.spans import Span

# From the check digits on: digits are rare in prose, letters are not. The country's two letters stand before them.
_TAIL = re.compile(r"[0-9]{2}(?:[ \u00a0\-]?[A-Za-z0-9]){11,}")
_COUNTRY = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ \-]?\Z")
_LONGEST = 34


def find_ibans(text: str) -> Iterator[Span]:
    """Yields IBANs with or without blanks, in either case, whose length, structure and check digits are their country's."""
    position = 0
    while tail := _TAIL.search(text, position):
        position = tail.start() + 1
        country = _COUNTRY.search(text, max(0, tail.start() - 4), tail.start())
        end = _end(text, country.start(), tail.end()) if country else None
        if country and end:
            yield Span(country.start(), end, "iban")
            position = end


def _end(text: str, start: int, limit: int) -> int | None:
    """Where the IBAN that begins at `start` ends: words that follow it may look like further groups."""
    value = ""
    for index in range(start, limit):
        if not text[index].isalnum():
            continue
        value += text[index]
        follows = text[index + 1 : index + 2]
        if (
            len(value) >= 15
            and not (follows.isalnum() and follows.isascii())
            and iban.is_valid(value, check_country=False)
        ):
            return index + 1
        if len(value) == _LONGEST:
            return None
    return None
