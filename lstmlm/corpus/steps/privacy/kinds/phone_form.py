"""Written forms of phone numbers, and of other numbers with as many digits."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

_GROUP = re.compile(r"[0-9]+")
_YEAR = r"(?:1[0-9]|20)[0-9]{2}"
_NOT_A_PHONE = re.compile(
    # Dates, spans of years, `12 (2016) 32-44`.
    rf"{_YEAR}[\-./ ][0-9]{{1,2}}[\-./ ][0-9]{{1,2}}(?![0-9])|[0-9]{{1,2}}[\-./ ][0-9]{{1,2}}[\-./ ]{_YEAR}(?![0-9])"
    rf"|{_YEAR}[ ]?[\-/ ][ ]?{_YEAR}\Z"
    # Decimals with a sign.
    r"|\+[0-9]+\.[0-9]+\Z"
)
_YEAR_IN_BRACKETS = re.compile(rf"\({_YEAR}\)")
# `02110-1301`
_ZIP_CODE = re.compile(r"[0-9]{5}-[0-9]{4}")
_NOT_OF_DOTTED = re.compile(r"[^0-9.()]")
_COUNTING = "0123456789012345678"


@functools.lru_cache(maxsize=1024)
def groups_of(value: str) -> tuple[str, ...]:
    """Returns the groups of digits in a number: `("020", "7946", "0958")`."""
    return tuple(_GROUP.findall(value))


def is_something_else(value: str) -> bool:
    """Returns whether a number is a date, a span of years or an amount, whatever the words around it say."""
    value = value.lstrip("(")
    if _NOT_A_PHONE.match(value) or value.endswith(" 000 000"):
        return True
    return "(" in value and value[0] != "0" and _YEAR_IN_BRACKETS.search(value) is not None


def is_count_or_code(value: str) -> bool:
    """Returns whether a number without `+` is written as a decimal, a count, a row of a table or a ZIP code."""
    groups = groups_of(value)
    if len(groups) == 1:
        return len(value) < (9 if value[0] == "0" else 10) or value in _COUNTING or value[0] == "1"
    return "  " in value or _ZIP_CODE.fullmatch(value) is not None or _is_decimal(value, groups)


def is_grouped_like_one(value: str, national: Sequence[str]) -> bool:
    """Returns whether the digits of a number are grouped as people group those of phone numbers.

    Args:
        value: The number, without `+`.
        national: The groups in which its country writes it.
    """
    groups = groups_of(value)
    if len(groups) == 1 or groups == tuple(national):
        return True
    if any(len(group) < 2 for group in groups[1:]) or all(len(group) <= 2 for group in groups):
        return False
    if len(groups[0]) > 1 and groups[0].startswith("0"):
        return True
    return (len(groups) >= 3 or value.startswith("(")) and all(len(group) <= 4 for group in groups)


def _is_decimal(value: str, groups: Sequence[str]) -> bool:
    """Whether dots are those of decimals, of an IP address or of a sentence, not the ones between all groups."""
    if "." not in value:
        return False
    if len(groups) < 3 or _NOT_OF_DOTTED.search(value):
        return True
    return len(groups) == 4 and max(map(int, groups)) <= 255
