"""Words near a number that mark it as a phone number or as something else."""

from __future__ import annotations

import re

# `<PHONE>` replaces a number that was found, not a word about the next one.
_LABEL = (
    r"(?:phone|telephone|tel|mobile|mob|mobil|cell|cell\s?phone|fax|whatsapp|sms|hotline|helpline|landline"
    r"|t[ée]l[ée]phone|telefon(?:o|e|u|nummer)?|tel[ée]fono|m[óo]vil|portable|handy|cellulare|rufnummer|cep)"
)
# The same in languages of other scripts. Chinese, Japanese and Thai have no blank before the word, nor after it.
_LABEL_ELSEWHERE = (
    r"(?:(?:电话|電話|手机|手機|座机|热线|熱線|传真|傳真|携帯|ファックス|携帯電話|전화|휴대폰|핸드폰|연락처|팩스"
    r"|โทรศัพท์|โทรสาร|มือถือ|โทร|ទូរស័ព្ទ|ဖုန်း)(?:号码|號碼|番号|번호)?"
    r"|(?<!\w)(?:телефон|тел|моб(?:ильный)?|факс|τηλ(?:έφωνο)?|טלפון|נייד|هاتف|جوال|تلفون|موبايل|تلفن|فاکس|فون|फ़ोन|फोन|मोबाइल"
    r"|फ़ैक्स|ফোন|মোবাইল|điện thoại|đt|sđt|di động))(?:は|은|는)?\.?[\s:=\-]*\(?\Z"
)
_PLACE = r"(?:desk|office|home|work|direct|main|private|business|ph|t|m|p|f)"
_LINK = r"(?:[ ]?(?:no|nr|num|number|line))?\.?"

_BEFORE_LATIN = re.compile(
    rf"(?<![\w<])(?:{_LABEL}{_LINK}(?:\s+(?:is|was|at|on))?[\s:=#\"'\-]*\(?\Z|{_PLACE}{_LINK}[ ]*[:\-][ ]*\Z"
    # `call me on`, `not answering at`, `number is`
    r"|(?:call|calling|dial|ring|reach|contact|text (?:me|us|him|her|them)|phone|fax|answer|answering"
    r"|message|messages|whatsapp"
    r"|my number|her number|his number|their number|your number|our number|number is|numbers are"
    r"|appele[rz]|joindre|anrufen|erreichbar|erreichen|llame|llamar|llama|chiama|chiamare)\b[^.!?\n<]{0,32}\Z)"
)
_BEFORE = re.compile(rf"{_LABEL_ELSEWHERE}|{_BEFORE_LATIN.pattern}")
_AFTER = re.compile(
    r"[ \-,]{1,3}\(?(?:phone|telephone|tel|mobile|mob|cell|fax|desk|office|home|work|direct|main)\b", re.IGNORECASE
)

_OTHER_ELSEWHERE = (
    r"(?:订单号?|訂單編?號?|单号|運單|快递|编号|編號|番号|注文番号|口座|账号|帳號|주문번호|계좌|(?<!\w)(?:заказа?|счета?|ордер))"
    r"\W{0,3}\Z"
)
_OTHER_LATIN = re.compile(
    r"\b(?:commande|bestellung|bestellnummer|rechnung|rechnungsnummer|kundennummer|pedido|factura|ordine|fattura"
    r"|gtin|imei|imsi|asin|oclc|lccn|barcode|batch|lot|epoch|timestamp|userid|uid"
    r"|isbn|issn|isin|doi|arxiv|pmid|pmc|orcid|order|invoice|account|acct|licen[cs]e|serial|model|ticket|case"
    r"|claim|policy|card|routing|tracking|sku|upc|ean|vin|zip|postal code|zip code|postcode|patent|grant|rfc|version"
    r"|id|reference|ref|passport|ssn|vat|population|page|pages|pp|bug|issue|lat|lon|latitude|longitude"
    r")(?:[ ]?(?:no|nr|num|number|code|id))?s?\.?(?:\s+(?:is|was|are))?[\s:=#\-]*\Z"
)
_OTHER = re.compile(rf"{_OTHER_ELSEWHERE}|{_OTHER_LATIN.pattern}")
_SIGN_BEFORE = re.compile(r"[$€£¥]\s?\Z|-\Z")
_UNIT = re.compile(
    r"\s?(?:%|°|[$€£¥])|\s(?:people|persons|inhabitants|dollars|euros|pounds|votes|km|kg|usd|eur|gbp|bytes)\b",
    re.IGNORECASE,
)

# Ten digits in a row are of any kind where they occur as in code: `size = 4341379928`, `'2147483648'`, `[8664084166]`.
_CODE_BEFORE = re.compile(r"[=*+<>|][ ]?\Z|[`\"'<>\[{]\Z|[\"'][ ]?:[ ]?\Z|\w\(\Z")

_REACH, _REACH_OF_LABELS = 56, 40
_WORD = re.compile(r"[^\W\d_]")
_ENDS_IN_WORD = re.compile(r"\W*[^\W\d_]")  # read backwards


def says_phone(text: str, start: int, end: int) -> bool:
    """Returns whether the words before or after characters `start` to `end` name a phone: `Fax: …`, `call me on …`."""
    return _precedes(_BEFORE, _BEFORE_LATIN, text, start, _REACH) or _AFTER.match(text, end) is not None


def says_other(text: str, start: int, end: int) -> bool:
    """Returns whether the words around characters `start` to `end` name another thing: `ISBN …`, `… euros`."""
    if _SIGN_BEFORE.search(text, max(0, start - 2), start) or _UNIT.match(text, end):
        return True
    # Where numbers follow one another, what comes before each is no word.
    backwards = text[max(0, start - _REACH_OF_LABELS) : start][::-1]
    if not _ENDS_IN_WORD.match(backwards):
        return False
    return _precedes(_OTHER, _OTHER_LATIN, text, start, _REACH_OF_LABELS)


def _precedes(words: re.Pattern[str], latin: re.Pattern[str], text: str, start: int, reach: int) -> bool:
    # One character more, for the pattern looks at what is before it; in small letters, which are compared more quickly.
    before = text[max(0, start - reach - 1) : start].lower()
    if before.isascii():
        return before.islower() and latin.search(before, int(start > reach)) is not None  # without letters it is not
    return _WORD.search(before) is not None and words.search(before, int(start > reach)) is not None


def says_code(text: str, start: int) -> bool:
    """Returns whether the text at a position follows a sign of source code or data."""
    return _CODE_BEFORE.search(text, max(0, start - 4), start) is not None
