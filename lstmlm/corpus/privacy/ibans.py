"""International bank account numbers (ISO 13616)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban

from lstmlm.corpus.privacy.spans import Span

# Begins with the check digits, for digits are rare in prose and letters are not; then looks back at the country.
SIGN = re.compile(
    r"[0-9][0-9](?<=[A-Za-z]{2}[0-9]{2})(?<![A-Za-z0-9][A-Za-z]{2}[0-9]{2})(?:[ \u00a0\-]?[A-Za-z0-9]){11,60}"
)
_LONGEST = 34


def find_ibans(text: str) -> Iterator[Span]:
    """Yields IBANs, with or without blanks, in either case: length, structure and check digits are the country's."""
    position = 0
    while sign := SIGN.search(text, position):
        start = sign.start() - 2
        end = _end(text, start, sign.end())
        if end:
            yield Span(start, end, "iban")
        position = end or sign.start() + 1


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
