"""Finds personal data of the kinds that a recipe names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import phonenumbers

from lstmlm.corpus.privacy import digits, emails, ibans, ips, urls
from lstmlm.corpus.privacy.cards import find_cards
from lstmlm.corpus.privacy.digits import digit_windows
from lstmlm.corpus.privacy.emails import find_emails
from lstmlm.corpus.privacy.ibans import find_ibans
from lstmlm.corpus.privacy.ips import find_ips
from lstmlm.corpus.privacy.national_ids import find_national_ids
from lstmlm.corpus.privacy.phones import find_phones
from lstmlm.corpus.privacy.presidio import Presidio, load_presidio
from lstmlm.corpus.privacy.spans import Span, without_overlaps
from lstmlm.corpus.privacy.urls import find_url_credentials
from lstmlm.errors import UserError

_BY_DIGITS = frozenset({"card", "national_id", "phone"})

# What a text with something of a kind must hold. `re` looks for them at about the speed of reading.
_SIGNS: dict[str, tuple[re.Pattern[str], ...]] = {
    "email": (emails.SIGN,),
    "ip": (ips.V4_SIGN, ips.V6_SIGN),
    "url_credentials": (urls.SIGN,),
    "iban": (ibans.SIGN,),
    **dict.fromkeys(sorted(_BY_DIGITS), (digits.SIGN,)),
}


class Finder:
    """Finds personal data in texts, one text at a time.

    Args:
        kinds: Names as in `corpus.privacy.kinds`.
        regions: ISO 3166-1 codes of the countries whose phone numbers and national ids are known.
        presidio: What finds names and addresses where `kinds` has `presidio`; absent: the installed one.

    Raises:
        UserError: A region is not a country that has phone numbers, or Presidio is asked for and not installed.
    """

    def __init__(self, kinds: Iterable[str], regions: Iterable[str], presidio: Presidio | None = None) -> None:
        self._kinds = frozenset(kinds)
        self._regions = tuple(regions)
        self._presidio = (presidio or load_presidio()) if "presidio" in self._kinds else None
        self._signs = list(dict.fromkeys(sign for kind in _SIGNS if kind in self._kinds for sign in _SIGNS[kind]))
        for region in self._regions:
            if region not in phonenumbers.SUPPORTED_REGIONS:
                raise UserError(
                    f"{region!r} is not a country",
                    where="corpus.privacy.regions",
                    cure="Use ISO 3166-1 codes in capitals, such as GB for the United Kingdom",
                )

    def may_find(self, text: str) -> bool:
        """Tells whether anything can be in a text, or in one of several texts joined by line feeds."""
        return self._presidio is not None or any(sign.search(text) for sign in self._signs)

    def find(self, text: str) -> list[Span]:
        """Returns the spans of personal data, in order and apart. Spans count characters."""
        spans = list(self._matches(text))
        return without_overlaps(spans, text) if spans else spans

    def _matches(self, text: str) -> Iterator[Span]:
        kinds = self._kinds
        if "email" in kinds:
            yield from find_emails(text)
        if "ip" in kinds:
            yield from find_ips(text)
        if "url_credentials" in kinds:
            yield from find_url_credentials(text)
        if "iban" in kinds:
            yield from find_ibans(text)
        if kinds & _BY_DIGITS:
            for start, end in digit_windows(text):
                yield from self._by_digits(text, start, end)
        if self._presidio:
            yield from self._presidio.find(text)

    def _by_digits(self, text: str, start: int, end: int) -> Iterator[Span]:
        if "card" in self._kinds:
            yield from find_cards(text, start, end)
        if "national_id" in self._kinds:
            yield from find_national_ids(text, start, end, self._regions)
        if "phone" in self._kinds:
            yield from find_phones(text, start, end, self._regions)


def find(text: str, kinds: Iterable[str], regions: Iterable[str]) -> list[Span]:
    """Returns the personal data in one text; see `Finder`, which is quicker for many texts."""
    return Finder(kinds, regions).find(text)
