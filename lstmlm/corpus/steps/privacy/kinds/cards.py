"""Numbers of payment cards."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from lstmlm.corpus.steps.privacy.kinds.digits import is_whole_number
from lstmlm.corpus.steps.privacy.spans import PiiSpan

_RUN = re.compile(r"([0-9]{4,19})(?:[ .\-\u30fc][0-9]{2,7}){0,5}")
_SEPARATOR = re.compile(r"[^0-9]")

# How cards print their number; the last group of a long number may be short.
_GROUPINGS = {
    *((length,) for length in range(12, 20)),
    *((4, 4, 4, *rest) for rest in ((), (1,), (2,), (3,), (4,), (4, 1), (4, 2), (4, 3))),
    *((4, 6, 4), (4, 6, 5), (6, 6), (6, 7), (6, 13), (8, 8)),
}
_MOST_GROUPS = max(map(len, _GROUPINGS))

# First digits -> how many digits there are in all (ISO/IEC 7812 and what the issuers publish).
_ISSUERS = (
    (r"4", (13, 16, 19)),  # Visa
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    (r"3[47]", (15,)),  # American Express
    (r"30[0-5]|3095|3[689]", range(14, 20)),  # Diners Club
    (r"35", range(16, 20)),  # JCB
    (r"1800|2131", (15,)),  # JCB
    (r"220[0-4]", range(16, 20)),  # Mir
    (r"81|9792", range(16, 20)),  # UnionPay, Troy
    # Maestro, Discover, UnionPay, RuPay, Elo and others share these ranges.
    (r"50|5[6-8]|6|0604", range(12, 20)),
)
_OF_LENGTH = {
    length: re.compile("|".join(first for first, lengths in _ISSUERS if length in lengths)) for length in range(12, 20)
}
_ANY_ISSUER = re.compile("|".join(first for first, _ in _ISSUERS))
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def find_cards(text: str, start: int, end: int) -> Iterator[PiiSpan]:
    """Yields card numbers in a part of a text: known first digits, the length that goes with them, a Luhn check digit.

    The digits are together or in the groups that cards are printed with. What follows in further groups, such as a
    security code, is not part of the number.

    Args:
        text: Folded (`lstmlm.corpus.steps.privacy.fold`).
        start: Where the part begins.
        end: Where it ends.
    """
    position = start
    while run := _RUN.search(text, position, end):
        # Another number may precede the card's: `3 4111 1111 1111 1111`.
        position = run.end(1)
        if not _ANY_ISSUER.match(run[1]):
            continue
        groups = _SEPARATOR.split(run[0])
        digits = "".join(groups)
        for count, length in _counts(tuple(map(len, groups))):
            if not _is_card(digits, length):
                continue
            last = run.start() + length + count - 1
            if is_whole_number(text, run.start(), last):
                yield PiiSpan(run.start(), last, "card")
                position = last
                break


@functools.lru_cache(maxsize=1024)
def _counts(lengths: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Returns how many of the first groups of a number could be a card's, and their digits, the most first."""
    counts = range(min(len(lengths), _MOST_GROUPS), 0, -1)
    return tuple((count, sum(lengths[:count])) for count in counts if lengths[:count] in _GROUPINGS)


def _is_card(digits: str, length: int) -> bool:
    """Returns whether the first digits of a number, so many, are a card's."""
    return _OF_LENGTH[length].match(digits) is not None and _luhn(digits[:length])


def _luhn(number: str) -> bool:
    """Returns whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    digits = number.encode()
    return (sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED)) - ord("0") * len(digits)) % 10 == 0
