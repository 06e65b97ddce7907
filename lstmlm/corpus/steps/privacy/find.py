"""Finds personal data of the kinds that a recipe names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import phonenumbers

from lstmlm.corpus.steps.privacy.fold import fold, needs_fold
from lstmlm.corpus.steps.privacy.kind import PrivacyKind, further_kinds, privacy_kind
from lstmlm.corpus.steps.privacy.kinds import digits, ibans, ips, urls
from lstmlm.corpus.steps.privacy.kinds.cards import find_cards
from lstmlm.corpus.steps.privacy.kinds.digits import digit_windows
from lstmlm.corpus.steps.privacy.kinds.emails import find_emails, may_hold_emails
from lstmlm.corpus.steps.privacy.kinds.ibans import find_ibans
from lstmlm.corpus.steps.privacy.kinds.ips import find_ips
from lstmlm.corpus.steps.privacy.kinds.national_ids import find_national_ids
from lstmlm.corpus.steps.privacy.kinds.phones import Lookups, find_phones
from lstmlm.corpus.steps.privacy.kinds.urls import find_url_credentials
from lstmlm.corpus.steps.privacy.spans import PiiSpan, without_overlaps
from lstmlm.errors import UserError

_BY_DIGITS = frozenset({"card", "national_id", "phone"})
_BY_SIGNS: dict[str, Callable[[str], Iterator[PiiSpan]]] = {
    "email": find_emails,
    "ip": find_ips,
    "url_credentials": find_url_credentials,
    "iban": find_ibans,
}

# What a text with something of a kind must hold. `re` looks for them at about the speed of reading.
_SIGNS: dict[str, tuple[Callable[[str], object], ...]] = {
    "email": (may_hold_emails,),
    "ip": (ips.V4_FIRST.search, ips.V6_SIGN.search),
    "url_credentials": (urls.SIGN.search,),
}
# What must follow a digit of it: one look for all of these.
_NUMBERS = {"iban": ibans.NUMBER, **dict.fromkeys(sorted(_BY_DIGITS), digits.NUMBER)}


def _signs(kinds: frozenset[str]) -> list[Callable[[str], object]]:
    signs = [sign for kind, found in _SIGNS.items() if kind in kinds for sign in found]
    numbers = dict.fromkeys(number for kind, number in _NUMBERS.items() if kind in kinds)
    return [*signs, re.compile(rf"[0-9](?:{'|'.join(numbers)})").search] if numbers else signs


class Finder:
    """Finds personal data in texts, one text at a time.

    Attributes:
        unchecked: Numbers of the last text that were too many to look up, so that their form decided.

    Args:
        kinds: Names as in `corpus.privacy.kinds`.
        regions: ISO 3166-1 codes of the countries whose phone numbers and national ids are known.
        made: Kinds by name that are used in the place of those that `privacy_kind` returns.

    Raises:
        UserError: A region is not a country that has phone numbers, or what a kind needs is not installed.
    """

    def __init__(
        self, kinds: Iterable[str], regions: Iterable[str], made: Mapping[str, PrivacyKind] | None = None
    ) -> None:
        self.unchecked = 0
        self._kinds = frozenset(kinds)
        self._regions = tuple(regions)
        self._signs = _signs(self._kinds)
        further = sorted(further_kinds(self._kinds))
        self._others = [(made or {}).get(name) or privacy_kind(name) for name in further]
        for kind in self._others:
            kind.setup()
        names = [name for kind in self._others for name in kind.names or (kind.name,)]
        self._names = tuple(names)
        if len({*names}) < len(names):
            what = f"two kinds of personal data have the name {max(names, key=names.count)!r}"
            raise UserError(what, where="corpus.privacy.kinds", hint="Give each a name of its own")
        for region in self._regions:
            if region not in phonenumbers.SUPPORTED_REGIONS:
                raise UserError(
                    f"{region!r} is not a country",
                    where="corpus.privacy.regions",
                    hint="Use ISO 3166-1 codes in capitals, such as GB for the United Kingdom",
                )

    def may_find(self, text: str) -> bool:
        """Returns whether anything can be in a text, or in one of several texts joined by line feeds."""
        known = any(sign(text) for sign in self._signs) or needs_fold(text)
        return known or any(kind.may_find(text) for kind in self._others)

    def find(self, text: str) -> list[PiiSpan]:
        """Returns the spans of personal data, in order and apart. Spans count characters."""
        folded = fold(text)
        spans = [folded.original(span) for span in self._matches(folded.text)]
        spans += [span for kind in self._others if kind.as_written for span in kind.find_spans(text)]
        return without_overlaps(spans, text, self._names) if spans else spans

    def _matches(self, text: str) -> list[PiiSpan]:
        """Returns what a folded text holds, in any order."""
        spans = [span for kind, find in _BY_SIGNS.items() if kind in self._kinds for span in find(text)]
        if self._kinds & _BY_DIGITS:
            windows = digit_windows(text)
            for start, end in windows:
                spans += self._numbers(text, start, end)
            if "phone" in self._kinds:
                spans += self._phones(text, windows, spans)
        return spans + [span for kind in self._others if not kind.as_written for span in kind.find_spans(text)]

    def _numbers(self, text: str, start: int, end: int) -> Iterator[PiiSpan]:
        if "card" in self._kinds:
            yield from find_cards(text, start, end)
        if "national_id" in self._kinds:
            yield from find_national_ids(text, start, end, self._regions)

    def _phones(self, text: str, windows: Iterable[tuple[int, int]], others: Iterable[PiiSpan]) -> list[PiiSpan]:
        """Returns the phone numbers outside of what is more specific than they are; they take longest to look for."""
        taken = bytearray(len(text))
        for span in others:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
        lookups = Lookups(taken=taken)
        found = [span for window in windows for span in find_phones(text, *window, self._regions, lookups)]
        self.unchecked = lookups.unchecked
        return found


def find(text: str, kinds: Iterable[str], regions: Iterable[str]) -> list[PiiSpan]:
    """Returns the personal data in one text; see `Finder`, which is quicker for many texts."""
    return Finder(kinds, regions).find(text)
