"""Phone numbers: international ones, national ones of the recipe's regions, and numbers that their context marks."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Iterator, Sequence

import phonenumbers

from lstmlm.corpus.steps.privacy.kinds.digits import SEPARATOR
from lstmlm.corpus.steps.privacy.kinds.phone_context import says_code, says_other, says_phone
from lstmlm.corpus.steps.privacy.kinds.phone_form import (
    groups_of,
    is_count_or_code,
    is_grouped_like_one,
    is_something_else,
)
from lstmlm.corpus.steps.privacy.spans import PiiSpan

_RUN = re.compile(rf"[+(0-9](?:{SEPARATOR}{{0,3}}[0-9]){{6,}}")
_EXTENSION = re.compile(
    r"[ ,;]{0,2}(?:x|ext\.?|extn\.?|extension|poste|durchwahl)[ .:]?[0-9]{1,6}(?![0-9])", re.IGNORECASE
)
_WORD = re.compile(r"[0-9+(][^ ]*(?<=[0-9)])")
_SIGNS = re.compile(r"[(+.\-]")
_MOST_WORDS = 6

_FEWEST, _MOST = 7, 15  # digits of a number: the local ones of North America, and the bound of ITU-T E.164
_LONGEST = 4 * (_MOST + 2)  # characters, with three separators after each digit

MOST_LOOKUPS = 1000
"""Different numbers of one text that are looked up at most."""

MOST_CONTEXTS = 10_000
"""Numbers of one text for which the words around are asked whether they name another thing."""

_PART_BEFORE = re.compile(r"[A-Za-z0-9_/&]\Z|[0-9][.,\-:]\Z")
_PART_AFTER = re.compile(r"[A-Za-z0-9_@]|[.,/:\-][0-9]")


class Lookups:
    """What is known of the numbers of one text: libphonenumber takes a long time for each.

    Past the limits, which hardly any text but a directory reaches, the form of a number decides.

    Args:
        limit: Different numbers that are looked up at most.
        taken: A byte for each character of the text, 1 where it belongs to something else; absent: none does.
        contexts: Numbers for which the words around are asked whether they name another thing (`says_other`).

    Attributes:
        unchecked: Numbers that were too many to look up.
    """

    def __init__(
        self, limit: int = MOST_LOOKUPS, taken: bytearray | None = None, contexts: int = MOST_CONTEXTS
    ) -> None:
        self.unchecked = 0
        self._limit, self._known, self._taken = limit, dict[str, bool](), taken or bytearray()
        self._contexts = contexts

    def is_taken(self, start: int, end: int) -> bool:
        """Returns whether a part of the text belongs to something else, at least with one character."""
        return self._taken.find(1, start, end) >= 0

    def may_ask_context(self) -> bool:
        """Returns whether the words around one more number may be asked what it is."""
        self._contexts -= 1
        return self._contexts >= 0

    def may_ask_nothing(self, value: str) -> bool:
        """Returns whether neither a number nor the words around it may be looked at any more; then it is counted."""
        nothing = self._contexts <= 0 and len(self._known) >= self._limit and value not in self._known
        self.unchecked += nothing
        return nothing

    def is_phone(self, value: str, digits: str, regions: Sequence[str], is_written_as_one: bool) -> bool:
        """Returns whether a number is one that can be dialled: in the country it names, or in one of the regions.

        Args:
            value: The number.
            digits: Its digits.
            regions: ISO 3166-1 codes.
            is_written_as_one: What its form says: it begins with `+`, or is not written as a count or code is.
        """
        known = self._known.get(value)
        if known is not None:
            return known
        if len(self._known) >= self._limit:
            self.unchecked += 1
            return is_written_as_one
        self._known[value] = _is_phone(value, digits, regions, is_written_as_one)
        return self._known[value]


def find_phones(
    text: str, start: int, end: int, regions: Sequence[str], lookups: Lookups | None = None
) -> Iterator[PiiSpan]:
    """Yields phone numbers, extension included, in a part of a text.

    A number counts where one of these holds, after libphonenumber's idea of lenience:

    - it begins with `+` or `00` and is valid in the country that follows; after `+` and in groups, possible is enough;
    - it is written as numbers are, and valid in one of the regions, trunk prefix included;
    - it has 7 to 15 digits and the words next to it call it a phone number, valid or not.

    Dates, years, decimals, amounts, and what its label calls something else (`ISBN`, `order no.`) do not count.

    Args:
        text: Folded (`lstmlm.corpus.steps.privacy.fold`).
        start: Where the part begins.
        end: Where it ends.
        regions: ISO 3166-1 codes.
        lookups: The limit of this text; absent: one of this part.
    """
    lookups = lookups or Lookups()
    for run in _RUN.finditer(text, start, end):
        whole = _phone(text, run.start(), run.end(), regions, lookups)
        if whole:
            yield whole
        else:
            yield from _parts(text, run.start(), run.end(), regions, lookups)


def _parts(text: str, start: int, end: int, regions: Sequence[str], lookups: Lookups) -> Iterator[PiiSpan]:
    """Yields the phone numbers among several numbers in a row, from left to right, the longest first."""
    sign = _place(_SIGNS.search(text, start, end), end)
    if sign == end:  # blanks also separate the numbers of a table
        return
    words = [match.span() for match in _WORD.finditer(text, start, end)]
    counts = (sum(map(str.isdigit, text[first:last])) for first, last in words)
    digits = list(itertools.accumulate(counts, initial=0))  # of the words before each
    first = 0
    while first < len(words) and sign < end:
        if sign < words[first][0]:
            sign = _place(_SIGNS.search(text, words[first][0], end), end)
        if words[min(first + _MOST_WORDS, len(words)) - 1][1] <= sign:
            first += 1
            continue
        # The words that have as many digits together as a number may have.
        bounds = first + 1, min(first + _MOST_WORDS, len(words)) + 1
        fewest = bisect.bisect_left(digits, digits[first] + _FEWEST, *bounds)
        for after in range(bisect.bisect(digits, digits[first] + _MOST + 2, *bounds) - 1, fewest - 1, -1):
            part = words[first][0], words[after - 1][1]
            phone = _phone(text, *part, regions, lookups) if sign < part[1] else None
            if phone:
                yield phone
                first = after - 1
                break
        first += 1


def _place(match: re.Match[str] | None, default: int) -> int:
    return default if match is None else match.start()


def _phone(text: str, start: int, end: int, regions: Sequence[str], lookups: Lookups) -> PiiSpan | None:
    if end - start > _LONGEST or lookups.is_taken(start, end):
        return None
    value = text[start:end]
    if value.startswith("(") and ")" not in value:
        start, value = start + 1, value[1:]
    digits = "".join(groups_of(value))
    if not _FEWEST <= len(digits) <= _MOST + 2 or is_something_else(value):
        return None
    extension = _EXTENSION.match(text, end)
    end = extension.end() if extension else end
    if _PART_BEFORE.search(text, max(0, start - 2), start) or _PART_AFTER.match(text, end):
        return None
    is_international = value.startswith("+")
    is_written_as_one = is_international or not is_count_or_code(value)
    if is_written_as_one and lookups.may_ask_nothing(value):  # whatever the words around say, it counts
        return PiiSpan(start, end, "phone")
    is_called_one = len(digits) <= _MOST and says_phone(text, start, end)
    if not (is_called_one or is_written_as_one or digits.startswith("00")):
        return None
    if not is_international and lookups.may_ask_context():
        is_code = not is_called_one and value == digits and says_code(text, start)
        if is_code or says_other(text, start, end):
            return None
    if not is_called_one and not lookups.is_phone(value, digits, regions, is_written_as_one):
        return None
    return PiiSpan(start, end, "phone")


def _is_phone(value: str, digits: str, regions: Sequence[str], is_written_as_one: bool) -> bool:
    if value.startswith("+"):
        # A number that is dialled from abroad may have its trunk prefix next to it: `+44 (0)20`.
        international = value if "(0)" in value else f"+{digits}"
        grouped = len(groups_of(value)) > 1
        return _national_groups(international, None, valid=not grouped) is not None
    if digits.startswith("00"):
        return _national_groups(f"+{digits[2:]}", None, valid=True) is not None
    return is_written_as_one and any(_is_national(value, digits, region) for region in regions)


def _is_national(value: str, digits: str, region: str) -> bool:
    national = _national_groups(digits, region, valid=True)
    if national is None or not is_grouped_like_one(value, national):
        return False
    # The national form has the trunk prefix where the country has one: a number without it is not dialled like that.
    dialled = "".join(national)
    return digits == dialled or (phonenumbers.country_code_for_region(region) == 1 and digits == f"1{dialled}")


@functools.lru_cache(maxsize=16384)
def _national_groups(number: str, region: str | None, *, valid: bool) -> tuple[str, ...] | None:
    """Returns a number in the groups its country writes it in, or None where it is no number.

    Args:
        number: The number.
        region: Country that a number without `+` is of.
        valid: Ask for a number of an assigned range; else a possible length is enough.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not (phonenumbers.is_valid_number(parsed) if valid else phonenumbers.is_possible_number(parsed)):
        return None
    return groups_of(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))
