"""Phone numbers: international ones, national ones of the recipe's regions, and what its context calls a number."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

import phonenumbers

from lstmlm.corpus.privacy.digits import SEPARATOR
from lstmlm.corpus.privacy.phone_context import says_other, says_phone
from lstmlm.corpus.privacy.spans import Span

_RUN = re.compile(rf"[+(0-9](?:{SEPARATOR}{{0,3}}[0-9]){{6,}}")
_EXTENSION = re.compile(
    r"[ ,;]{0,2}(?:x|ext\.?|extn\.?|extension|poste|durchwahl)[ .:]?[0-9]{1,6}(?![0-9])", re.IGNORECASE
)
# Where one number ends and the next begins: `555-0100 / 555-0199`, `61087 (579) 888-3058`, two blanks.
_BREAK = re.compile(r"[ ]{2,}|[ ][\-/\u2013][ ]|(?<=[0-9]{5})[ ](?=\()|(?<=[0-9]{7})/")
_GROUP = re.compile(r"[0-9]+")

_FEWEST, _MOST = 7, 15  # digits of a number: the local ones of North America, and the bound of ITU-T E.164

_PART_BEFORE = re.compile(r"[A-Za-z0-9_/&]\Z|[0-9A-Za-z][.,\-:]\Z")
_PART_AFTER = re.compile(r"[A-Za-z0-9_@]|[.,/:\-][0-9]")
_YEAR = r"(?:1[0-9]|20)[0-9]{2}"
_DATE = re.compile(
    rf"{_YEAR}[\-./ ][0-9]{{1,2}}[\-./ ][0-9]{{1,2}}(?![0-9])|[0-9]{{1,2}}[\-./ ][0-9]{{1,2}}[\-./ ]{_YEAR}(?![0-9])"
    rf"|{_YEAR}[ ]?[\-/\u2013 ][ ]?{_YEAR}\Z|.*\({_YEAR}\)|[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}\Z|.*[ ]000[ ]000\Z"
)


def find_phones(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[Span]:
    """Yields phone numbers, extension included, in a part of a text.

    A number counts where one of these holds, after libphonenumber's idea of lenience:

    - it begins with `+` or `00` and is possible in the country that follows;
    - it is written as numbers are, and valid in one of the regions, trunk prefix included;
    - it has 7 to 15 digits and the words beside it call it a phone number, valid or not.

    Dates, years, decimals, amounts, and what its label calls something else (`ISBN`, `order no.`) do not count.
    """
    for run in _RUN.finditer(text, start, end):
        position = run.start()
        whole = _phone(text, run.start(), run.end(), regions)
        if whole:
            yield whole
            continue
        for gap in [*_BREAK.finditer(text, run.start(), run.end()), None]:
            last = gap.start() if gap else run.end()
            if position > run.start() or gap:
                phone = _phone(text, position, last, regions)
                if phone:
                    yield phone
            position = gap.end() if gap else last


def _phone(text: str, start: int, end: int, regions: Sequence[str]) -> Span | None:
    value = text[start:end]
    digits = "".join(_GROUP.findall(value))
    if not _FEWEST <= len(digits) <= _MOST + 2 or _DATE.match(value.lstrip("(")):
        return None
    extension = _EXTENSION.match(text, end)
    end = extension.end() if extension else end
    if _PART_BEFORE.search(text, max(0, start - 2), start) or _PART_AFTER.match(text, end):
        return None
    if value.startswith("+") or not says_other(text, start, end):
        if says_phone(text, start, end) and len(digits) <= _MOST:
            return Span(start, end, "phone")
        if _is_international(value, digits) or _is_national(value, digits, regions):
            return Span(start, end, "phone")
    return None


def _is_international(value: str, digits: str) -> bool:
    if value.startswith("+"):
        grouped = len(_GROUP.findall(value)) > 1
        return _is_real(f"+{digits}" if "(0)" not in value else value, None, strict=not grouped) is not None
    return digits.startswith("00") and _is_real(f"+{digits[2:]}", None, strict=True) is not None


def _is_national(value: str, digits: str, regions: Sequence[str]) -> bool:
    if not _is_written_like_one(value):
        return False
    return any(digits in (_is_real(digits, region, strict=True) or ()) for region in regions)


def _is_written_like_one(value: str) -> bool:
    """Whether the grouping is one of phone numbers, not of a decimal, a table or a postal code."""
    groups = _GROUP.findall(value)
    if len(groups) == 1:
        return len(value) >= 10
    if len(set(re.findall(r"[^0-9]+", value))) > 3 or any(len(group) < 2 for group in groups[1:]):
        return False
    if "." in value and (len(groups) < 3 or re.search(r"[^0-9.+()]", value)):
        return False
    if value.startswith(("(", "0")):
        return True
    return len(groups) >= 3 and all(len(group) <= 4 for group in groups)


@functools.lru_cache(maxsize=4096)
def _is_real(value: str, region: str | None, *, strict: bool) -> tuple[str, ...] | None:
    """Returns how the digits of a number are dialled within its country, or None where it is no number.

    Args:
        value: The number.
        region: Country that a number without `+` is of.
        strict: Ask for a valid number: one of an assigned range; else its length is enough.
    """
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if not (phonenumbers.is_valid_number(number) if strict else phonenumbers.is_possible_number(number)):
        return None
    # The national form has the trunk prefix where the country has one: a number without it is not dialled like that.
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    forms = ["".join(_GROUP.findall(national))]
    if number.country_code == 1:
        forms.append(f"1{phonenumbers.national_significant_number(number)}")
    return tuple(forms)
