"""Texts that make careless code slow: each is one pattern over and over, of any size."""

from __future__ import annotations

import itertools
from collections.abc import Callable

MB = 1_000_000

_UNITS: dict[str, str] = {
    # Runs without an end.
    "one letter": "a",
    "letters of words": "ab",
    "one digit": "1",
    "digits": "1234567890",
    "digits of full width": "１２３４５６７８９０",
    "Arabic-Indic digits": "٠١٢٣٤٥٦٧٨٩",
    "Chinese without a space": "我们的同事在两个工作日之内给您答复",
    "Thai without a space": "ภาษาไทยไม่มีช่องว่าง",
    "combining marks": "\u0301",
    "marks of two classes": "\u0301\u0327",
    "joiners": "\u200d",
    "controls": "\x01",
    "spaces": " ",
    "no-break spaces": "\xa0",
    "line feeds": "\n",
    "carriage returns": "\r",
    "spaces and line feeds": " \n",
    # One sign over and over.
    "at signs": "@",
    "colons": ":",
    "dots": ".",
    "hyphens": "-",
    "slashes": "/",
    "plus signs": "+",
    "underscores": "_",
    "opening brackets": "(",
    "square brackets": "[",
    "braces": "{",
    "less than": "<",
    "quotes": '"',
    "apostrophes": "'",
    "ampersands": "&",
    "hashes": "#",
    "question marks": "?",
    "percent signs": "%",
    # Numbers that are nearly something.
    "ones with dots": "1.",
    "ones with hyphens": "1-",
    "ones with spaces": "1 ",
    "ones with colons": "1:",
    "ones with slashes": "1/",
    "ones in brackets": "(1)",
    "plus and digit": "+1",
    "groups of three": "123 ",
    "groups of four": "4111 ",
    "groups of three with dots": "123.",
    "long groups": "1234567 ",
    "dates": "2023-10-05 12:30, ",
    "decimals": "3.14159265 ",
    # What is looked for.
    "phone numbers": "+1 201-555-0123 ",
    "phone numbers, national": "(201) 555-0123, ",
    "phone numbers joined": "201-555-0123-",
    "phone numbers with a word": "fax 9472 7916 ",
    "words of phones": "phone ",
    "cards": "4111 1111 1111 1111 ",
    "cards joined": "4111-1111-1111-1111-",
    "ibans": "GB82 WEST 1234 5698 7654 32 ",
    "almost ibans": "GB82",
    "almost ibans with spaces": "GB82 WEST ",
    "letters and check digits": "ab12 ",
    "national ids": "536-90-4399 ",
    "national ids of Italy": "RCCMNL83S18D969H ",
    "words of ids": "id ",
    "addresses": "ann@example.org ",
    "addresses joined": "a@b.",
    "addresses joined with commas": "ann@example.org,",
    "local parts": "a.",
    "domains": "@a.",
    "domains of hyphens": "@a-",
    "quoted local parts": '"a"@',
    "open quotes before an at sign": '"a ',
    "IPv4": "203.0.113.77 ",
    "IPv4 ranges": "192.0.2.1-192.0.2.9-",
    "IPv6": "2001:db8::1 ",
    "IPv6 without an end": "1:2:",
    "IPv6 zones": "fe80::1%",
    "double colons": "::1",
    "URLs": "https://example.org/?token=abcd1234 ",
    "URLs with credentials": "http://a:b@c.de ",
    "URLs joined": "http://a:b@",
    "schemes": "://",
    "scheme and colon": "://a:",
    "parameters": "?token=abcd",
    "parameter names": "&a_token",
    "one URL of many parameters": "&key=abcd",
    "placeholders": "<EMAIL>",
    "pseudonyms": "user-0a1b2c3d@example.invalid ",
    # What other steps look for.
    "entities": "&amp;",
    "nested entities": "&amp;amp;",
    "mojibake": "Ã©",
    "mojibake twice": "ÃƒÂ©",
    "ligatures": "ﬁ",
    "escapes": "\x1b[31m",
    "Hangul parts": "\u1100\u1161\u11a8",
    "one word": "word ",
    "two words": "to be ",
    "short lines": "a\n",
    "one line many times": "The same line again.\n",
    "bullets": "- a\n",
    "ellipses": "...",
    "ellipses and words": "a ... ",
    "sentence ends": "a. ",
    "initials": "U.S.",
    "citations": "[1]",
    "open citations": "[1",
    "marks of sentences": ".!?",
    "clitics": "don't ",
    "hyphens between letters": "a-",
    "emoji": "\U0001f468\u200d\U0001f469",
}


def _counted(form: str) -> Callable[[int], str]:
    """Texts whose units all differ, for what is kept a unit."""

    def text(size: int) -> str:
        parts, length = [], 0
        for number in itertools.count():
            part = form.format(number=number)
            length += len(part)
            if length > size:
                return "".join(parts)
            parts.append(part)
        raise AssertionError("a count has no end")

    return text


_COUNTED = {
    "words that differ": "w{number} ",
    "lines that differ": "Line {number} of the text.\n",
    "numbers that differ": "+1 201-{number:07d} ",
    "bare numbers that differ": "{number:010d} ",
    "addresses that differ": "a{number}@example.org ",
    "national numbers that differ": "(201) 5{number:06d}, ",
    "IPv4 that differ": "203.0.113.{number} ",
}

TEXTS: dict[str, Callable[[int], str]] = {
    **{name: (lambda size, unit=unit: (unit * (size // len(unit) + 1))[:size]) for name, unit in _UNITS.items()},
    **{name: _counted(form) for name, form in _COUNTED.items()},
    "national ids that differ": lambda size: "".join(
        f"{100 + n % 500}-{10 + n % 89}-{1000 + n % 8999} " for n in range(size // 12)
    ),
    "half digits, half letters": lambda size: "1" * (size // 2) + "a" * (size // 2),
    "letters, then an at sign": lambda size: "a" * (size - 12) + "@example.org",
    "dots, then an at sign": lambda size: "a." * ((size - 12) // 2) + "a@example.org",
    "an at sign, then letters": lambda size: "ann@" + "a" * (size - 4),
    "an at sign, then labels": lambda size: "ann@" + "a." * (size // 2),
    "a URL without an end": lambda size: "https://" + "a" * (size - 8),
    "a URL, then closing signs": lambda size: "https://a" + ")" * (size - 9),
    "a letter, then marks": lambda size: "a" + "\u0301" * (size - 1),
    "a mark, then spaces": lambda size: "." + " " * (size - 2) + "a",
    "brackets that close": lambda size: "(" * (size // 2) + ")" * (size // 2),
    "ampersands, then a semicolon": lambda size: "&" * (size - 1) + ";",
}
"""Name -> a text of about so many characters."""
