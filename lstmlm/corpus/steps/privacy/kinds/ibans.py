"""International bank account numbers (ISO 13616)."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import string
from collections.abc import Iterator

from stdnum import numdb

from lstmlm.corpus.steps.privacy.fold import SEPARATORS
from lstmlm.corpus.steps.privacy.spans import PiiSpan

# Begins with the check digits, for digits are rare in prose and letters are not; then looks back at the country.
NUMBER = (
    r"[0-9](?<=[A-Za-z]{2}[0-9]{2})(?<![A-Za-z0-9][A-Za-z]{2}[0-9]{2})"
    rf"(?:[ \-{SEPARATORS}]?[A-Za-z0-9]){{11,60}}"
)
SIGN = re.compile(rf"[0-9]{NUMBER}")
_SEPARATOR = re.compile(r"[ \-]")
_PARTS = re.compile(r"([0-9]+)!([nac])")
_KINDS = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_VALUES = {character: str(value) for value, character in enumerate(string.digits + string.ascii_uppercase)}


def find_ibans(text: str) -> Iterator[PiiSpan]:
    """Yields IBANs, with or without blanks, in either case: length, structure and check digits are the country's.

    Args:
        text: Folded (`lstmlm.corpus.steps.privacy.fold`).
    """
    position = 0
    while sign := SIGN.search(text, position):
        start = sign.start() - 2
        end = _end(text, start, sign.end())
        if end:
            yield PiiSpan(start, end, "iban")
        position = end or sign.start() + 1


def _end(text: str, start: int, limit: int) -> int | None:
    """Where the IBAN that begins at `start` ends: words that follow it may look like further groups."""
    country = _countries().get(text[start : start + 2].upper())
    if country is None:
        return None
    length = country.length
    parts = _SEPARATOR.split(text[start : min(limit, start + 2 * length)])
    value = "".join(parts)[:length]
    if len(value) < length:
        return None
    sizes = itertools.accumulate(map(len, parts))
    end = start + length + next(blanks for blanks, size in enumerate(sizes) if size >= length)
    follows = text[end : end + 1]
    return end if not (follows.isalnum() and follows.isascii()) and _is_valid(value.upper()) else None


def _is_valid(value: str) -> bool:
    """Returns whether the structure is that of the country, and the check digits are right (ISO 7064, MOD 97-10)."""
    if not _countries()[value[:2]].structure.fullmatch(value, 4):
        return False
    return int("".join(_VALUES[character] for character in value[4:] + value[:4])) % 97 == 1


@dataclasses.dataclass(frozen=True, slots=True)
class Country:
    """How the IBANs of a country are made up.

    Attributes:
        length: Characters.
        structure: What they are, from the fifth on.
    """

    length: int
    structure: re.Pattern[str]


@functools.cache
def _countries() -> dict[str, Country]:
    """Returns the countries of the registry by their code."""
    found: dict[str, Country] = {}
    for code in map("".join, itertools.product(string.ascii_uppercase, repeat=2)):
        parts = _PARTS.findall(numdb.get("iban").info(code)[0][1].get("bban", ""))
        if parts:
            structure = "".join(f"{_KINDS[kind]}{{{count}}}" for count, kind in parts)
            found[code] = Country(4 + sum(int(count) for count, _ in parts), re.compile(structure))
    return found
