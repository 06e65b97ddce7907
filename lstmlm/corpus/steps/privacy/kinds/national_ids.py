"""Identity, social-security and personal tax numbers, by country."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence

from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nif as spi
from stdnum.fr import nir
from stdnum.gb import nhs, utr
from stdnum.ie import pps
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc
from stdnum.pt import nif as pt_nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import itin, ssn
from stdnum.za import idnr as za_id

from lstmlm.corpus.steps.privacy.kinds.digits import is_whole_number
from lstmlm.corpus.steps.privacy.spans import PiiSpan


@dataclasses.dataclass(frozen=True, slots=True)
class NationalId:
    """One kind of number.

    Attributes:
        form: How it is written; tried at every place of a digit window.
        is_valid: Its check: digits, dates, unassigned ranges.
        distinctive: Whether form and check are enough. Otherwise (ten bare digits, one of them a check digit) a word
            before it must call it a number of a person.
    """

    form: re.Pattern[str]
    is_valid: Callable[[str], bool]
    distinctive: bool = True


def _form(pattern: str) -> re.Pattern[str]:
    # An underscore is the one blank or hyphen that may separate two groups, a tilde for a hyphen that must.
    return re.compile(pattern.replace("_", r"[ \-]?").replace("~", r"\-"), re.IGNORECASE)


# HM Revenue & Customs: prefixes never allocated. The number has no check digit.
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")


# The check of stdnum.us.ssn: areas, groups and serials never assigned, and numbers of advertisements. Written out, for
# stdnum cleans every number twice, character by character, and this is the one form that is as common as phone numbers.
_SSN = re.compile(r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}")
_ADVERTISED = ("078-05-1120", "457-55-5462", "219-09-9999")


def _is_ssn(value: str) -> bool:
    return _SSN.fullmatch(value) is not None and value not in _ADVERTISED


def _is_nino(value: str) -> bool:
    return _NINO.fullmatch(re.sub(r"[ \-]", "", value).upper()) is not None


IDS: dict[str, tuple[NationalId, ...]] = {
    "AT": (NationalId(_form(r"[0-9]{4}_[0-9]{6}"), vnr.is_valid, distinctive=False),),
    "AU": (NationalId(_form(r"[0-9]{3}_[0-9]{3}_[0-9]{3}"), tfn.is_valid, distinctive=False),),
    "BE": (NationalId(_form(r"[0-9]{2}[.]?[0-9]{2}[.]?[0-9]{2}[ .\-]?[0-9]{3}[ .\-]?[0-9]{2}"), nn.is_valid),),
    "BR": (
        NationalId(_form(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), cpf.is_valid),
        NationalId(_form(r"[0-9]{11}"), cpf.is_valid, distinctive=False),
    ),
    "CA": (NationalId(_form(r"[0-9]{3}_[0-9]{3}_[0-9]{3}"), sin.is_valid, distinctive=False),),
    "CH": (NationalId(_form(r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}"), ahv.is_valid),),
    "CN": (NationalId(_form(r"[0-9]{17}[0-9X]"), ric.is_valid),),
    "CZ": (NationalId(_form(r"[0-9]{6}/[0-9]{3,4}"), rc.is_valid),),
    "DE": (NationalId(_form(r"[0-9]{2}_[0-9]{3}_[0-9]{3}_[0-9]{3}"), idnr.is_valid),),
    "DK": (
        NationalId(_form(r"[0-9]{6}-[0-9]{4}"), cpr.is_valid),
        NationalId(_form(r"[0-9]{10}"), cpr.is_valid, distinctive=False),
    ),
    "ES": (
        NationalId(_form(r"[0-9]{8}_[A-Z]"), dni.is_valid),
        NationalId(_form(r"[XYZ]_[0-9]{7}_[A-Z]"), nie.is_valid),
    ),
    "FI": (NationalId(_form(r"[0-9]{6}[\-+A-FU-Y][0-9]{3}[0-9A-Y]"), hetu.is_valid),),
    "FR": (
        NationalId(_form(r"[12]_[0-9]{2}_[0-9]{2}_(?:[0-9]{2}|2[AB])_[0-9]{3}_[0-9]{3}_[0-9]{2}"), nir.is_valid),
        NationalId(_form(r"[0-3][0-9]_[0-9]{2}_[0-9]{3}_[0-9]{3}_[0-9]{3}"), spi.is_valid, distinctive=False),
    ),
    "GB": (
        NationalId(_form(r"[A-Z]{2}_[0-9]{2}_[0-9]{2}_[0-9]{2}_[A-D]"), _is_nino),
        NationalId(_form(r"[0-9]{3}_[0-9]{3}_[0-9]{4}"), nhs.is_valid, distinctive=False),
        NationalId(_form(r"[0-9]{5}_[0-9]{5}K?"), utr.is_valid, distinctive=False),
    ),
    "IE": (NationalId(_form(r"[0-9]{7}_[A-W][A-IW]?"), pps.is_valid),),
    "IN": (
        NationalId(_form(r"[2-9][0-9]{3}[ \-][0-9]{4}[ \-][0-9]{4}"), aadhaar.is_valid),
        NationalId(_form(r"[2-9][0-9]{11}"), aadhaar.is_valid, distinctive=False),
    ),
    "IT": (
        NationalId(
            _form(r"[A-Z]{6}_[0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{2}_[A-Z][0-9L-NP-V]{3}[A-Z]"), codicefiscale.is_valid
        ),
    ),
    "KR": (NationalId(_form(r"[0-9]{6}-[0-9]{7}"), rrn.is_valid),),
    "MX": (NationalId(_form(r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]"), curp.is_valid),),
    "NL": (NationalId(_form(r"[0-9]{4}[ .]?[0-9]{2}[ .]?[0-9]{3}"), bsn.is_valid, distinctive=False),),
    "NO": (NationalId(_form(r"[0-9]{6}[ ]?[0-9]{5}"), fodselsnummer.is_valid),),
    "PL": (NationalId(_form(r"[0-9]{11}"), pesel.is_valid),),
    "PT": (
        NationalId(_form(r"[0-9]{8}_[0-9]_[A-Z0-9]{2}[0-9]"), cc.is_valid),
        NationalId(_form(r"[0-9]{3}_[0-9]{3}_[0-9]{3}"), pt_nif.is_valid, distinctive=False),
    ),
    "RO": (NationalId(_form(r"[0-9]{13}"), cnp.is_valid),),
    "SE": (NationalId(_form(r"(?:[0-9]{2})?[0-9]{6}[\-+][0-9]{4}"), personnummer.is_valid),),
    "TR": (NationalId(_form(r"[0-9]{11}"), tckimlik.is_valid),),
    "US": (
        NationalId(_form(r"[0-9]{3}~[0-9]{2}~[0-9]{4}"), _is_ssn),
        NationalId(_form(r"9[0-9]{2}~[0-9]{2}~[0-9]{4}"), itin.is_valid),
        NationalId(
            _form(r"[0-9]{3} ?[0-9]{2} ?[0-9]{4}"),
            lambda value: ssn.is_valid(value.replace(" ", "")),
            distinctive=False,
        ),
    ),
    "ZA": (NationalId(_form(r"[0-9]{6}[ ]?[0-9]{4}[ ]?[0-9]{3}"), za_id.is_valid),),
}

_PERSONAL = re.compile(
    r"(?<![\w<])(?:id|identity|identification|nhs|ssn|social(?: security| insurance)?|tax|tin|taxpayer|utr|national"
    r"|insurance|tfn|bsn|burgerservicenummer|nif|nir|spi|num[ée]ro fiscal|contribuinte|cpf|cpr|aadhaar|uidai"
    r"|steuer\w*|sozialversicherung\w*|versicherungsnummer|svnr)\b[^.!?\n<]{0,32}\Z",
    re.IGNORECASE,
)
_REACH = 56
_WORD = re.compile("[A-Za-z]")


def find_national_ids(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[PiiSpan]:
    """Yields numbers of persons in a part of a text, as the countries of `regions` give them (python-stdnum)."""
    for region in regions:
        for kind in IDS.get(region, ()):
            for match in kind.form.finditer(text, start, end):
                first, last = match.span()
                found = is_whole_number(text, first, last) and (kind.distinctive or _is_called_personal(text, first))
                if found and kind.is_valid(match[0]):
                    yield PiiSpan(first, last, "national_id")


def _is_called_personal(text: str, start: int) -> bool:
    before = max(0, start - _REACH)
    return bool(_WORD.search(text, before, start) and _PERSONAL.search(text, before, start))
