"""Words around a number that say it is a phone number, or that it is something else."""

from __future__ import annotations

import re

# `<PHONE>` is what stands for a number that was found, not a word about the next one.
_LABEL = (
    r"(?<![\w<])(?:phone|telephone|tel|mobile|mob|mobil|cell|cell\s?phone|fax|whatsapp|sms|hotline|helpline|landline"
    r"|t[ée]l[ée]phone|telefon(?:o|e|nummer)?|tel[ée]fono|m[óo]vil|portable|handy|cellulare|rufnummer)"
)
_PLACE = r"(?<![\w<])(?:desk|office|home|work|direct|main|private|business|ph|t|m|p|f)"
_LINK = r"(?:[ ]?(?:no|nr|num|number|line))?\.?"

_BEFORE = re.compile(
    rf"{_LABEL}{_LINK}(?:\s+(?:is|was|at|on))?[\s:=#\"'\-]*\(?\Z|{_PLACE}{_LINK}[ ]*[:\-][ ]*\Z"
    # `call me on`, `not answering at`, `number is`
    r"|(?<![\w<])(?:call|calling|dial|ring|reach|contact|text (?:me|us|him|her|them)|phone|fax|answer|answering"
    r"|message|messages|whatsapp"
    r"|my number|her number|his number|their number|your number|our number|number is|numbers are"
    r"|appele[rz]|joindre|anrufen|erreichbar|erreichen|llame|llamar|llama|chiama|chiamare)\b[^.!?\n<]{0,32}\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"[ \-–,]{1,3}\(?(?:phone|telephone|tel|mobile|mob|cell|fax|desk|office|home|work|direct|main)\b", re.IGNORECASE
)

_OTHER = re.compile(
    r"\b(?:isbn|issn|isin|doi|arxiv|pmid|pmc|orcid|order|invoice|account|acct|licen[cs]e|serial|model|ticket|case"
    r"|claim|policy|card|routing|tracking|sku|upc|ean|vin|zip|postal code|zip code|postcode|patent|grant|rfc|version"
    r"|id|reference|ref|passport|ssn|vat|population|page|pages|pp|bug|issue|lat|lon|latitude|longitude"
    r")(?:[ ]?(?:no|nr|num|number|code|id))?s?\.?(?:\s+(?:is|was|are))?[\s:=#\-]*\Z|[$€£¥]\s?\Z|-\Z",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s?(?:%|°|[$€£¥])|\s(?:people|persons|inhabitants|dollars|euros|pounds|votes|km|kg|usd|eur|gbp|bytes)\b",
    re.IGNORECASE,
)

# Ten digits in a row are of any kind where they stand as in code: `size = 4341379928`, `'2147483648'`, `[8664084166]`.
_CODE_BEFORE = re.compile(r"[=*+<>|][ ]?\Z|[`\"'<>\[{]\Z|[\"'][ ]?:[ ]?\Z|\w\(\Z")

_REACH = 56


def says_phone(text: str, start: int, end: int) -> bool:
    """Tells whether the words before or after characters `start` to `end` name a phone: `Fax: …`, `call me on …`."""
    return bool(_BEFORE.search(text, max(0, start - _REACH), start) or _AFTER.match(text, end))


def says_other(text: str, start: int, end: int) -> bool:
    """Tells whether the words around characters `start` to `end` name another thing: `ISBN …`, `… euros`."""
    return bool(_OTHER.search(text, max(0, start - _REACH), start) or _UNIT.match(text, end))


def says_code(text: str, start: int) -> bool:
    """Tells whether what begins at a character stands behind a sign of source code or data."""
    return _CODE_BEFORE.search(text, max(0, start - 4), start) is not None
