"""Numbers of payment cards."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn

from lstmlm.corpus.privacy.digits import stands_alone
from lstmlm.corpus.privacy.spans import Span

_RUN = re.compile(r"[0-9]{4,19}(?:[ \u00a0.\-\u2010\u2011\u2013][0-9]{2,7}){0,5}")
_GROUP = re.compile(r"[0-9]+")

# How cards print their number; the last group of a long number may be short.
_GROUPINGS = re.compile(r"4 4 4(?: 4)?(?: [1-4])?|4 4 4 [1-4]|4 6 [45]|6 (?:6|7)|6 13|8 8")

# First digits -> how many digits there are in all (ISO/IEC 7812 and what the issuers publish).
_ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"30[0-5]|3095|3[689]"), range(14, 20)),  # Diners Club
    (re.compile(r"35"), range(16, 20)),  # JCB
    (re.compile(r"1800|2131"), (15,)),  # JCB
    (re.compile(r"220[0-4]"), range(16, 20)),  # Mir
    (re.compile(r"81|9792"), range(16, 20)),  # UnionPay, Troy
    # Maestro, Discover, UnionPay, RuPay, Elo and others share these ranges.
    (re.compile(r"50|5[6-8]|6|0604"), range(12, 20)),
)


def find_cards(text: str, start: int, end: int) -> Iterator[Span]:
    """Yields card numbers in a part of a text: known first digits, the length that goes with them, a Luhn check digit.

    The digits stand together or in the groups that cards are printed with. What follows in further groups, such as a
    security code, is not part of the number.
    """
    position = start
    while run := _RUN.search(text, position, end):
        position = run.end()
        groups = list(_GROUP.finditer(run[0]))
        for count in range(len(groups), 0, -1):
            last = run.start() + groups[count - 1].end()
            if _is_card([group[0] for group in groups[:count]]) and stands_alone(text, run.start(), last):
                yield Span(run.start(), last, "card")
                position = last
                break
        else:
            # Another number may stand before the card's: `3 4111 1111 1111 1111`.
            position = run.start() + groups[0].end()


def _is_card(groups: list[str]) -> bool:
    number = "".join(groups)
    if len(groups) > 1 and not _GROUPINGS.fullmatch(" ".join(str(len(group)) for group in groups)):
        return False
    known = any(first.match(number) and len(number) in lengths for first, lengths in _ISSUERS)
    return known and luhn.is_valid(number)
