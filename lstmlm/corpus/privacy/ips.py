"""IP addresses of both versions, public and private."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from lstmlm.corpus.privacy.spans import Span

# Begins with one set of characters, not a repeat of it: `re` then skips to the next of them quickly.
V4_SIGN = re.compile(r"[0-9][0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
V6_SIGN = re.compile(r":[0-9A-Fa-f]{0,4}:")
_V6_HEAD = re.compile(r"[0-9A-Fa-f:]{0,39}\Z")
_V6_TAIL = re.compile(r"[0-9A-Fa-f:]{2,39}(?:(?<=[:0-9])(?:\.[0-9]{1,3}){3})?")

_PART_BEFORE = re.compile(r"[\w:]\Z|[0-9][.\-]\Z", re.ASCII)
_PART_AFTER = re.compile(r"[\w]|[.\-][0-9]|\.[A-Za-z]", re.ASCII)

_WORDS_BEFORE = 24
_VERSION = re.compile(
    r"\b(?:v|ver|vers|version|release|rev|revision|build|firmware|kernel|driver|patch|update|sdk|library"
    r"|section|sections|sec|chapter|clause|article|figure|fig|table|appendix|paragraph)\.?[\s:=]*\Z|[§/=]=?\s?v?\Z",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b(?:ip|ips|ipv4|ipv6|addr|address|host|server|dns|ping|gateway|router|subnet)\b[^.!?\n]{0,12}\Z|//\Z",
    re.IGNORECASE,
)


def find_ips(text: str) -> Iterator[Span]:
    """Yields IPv4 and IPv6 addresses.

    Four numbers with dots are also a version or a section: after a word that says so they are left, and where no
    number has two digits (`1.2.3.4`) only a word such as `host` before them makes them an address. Of IPv6, short forms
    that code is full of (`1::2`, `::1`) are left likewise.
    """
    for match in V4_SIGN.finditer(text):
        if _is_whole(text, *match.span()) and _is_v4(match[0], _before(text, match.start())):
            yield Span(*match.span(), "ip")
    position = 0
    while sign := V6_SIGN.search(text, position):
        head = _V6_HEAD.search(text, max(position, sign.start() - 39), sign.start())
        start = head.start() if head else sign.start()
        tail = _V6_TAIL.match(text, sign.start())
        position = tail.end() if tail else sign.end()
        # A colon that ends a clause is not part of the address.
        end = position - (text[position - 1] == ":" != text[position - 2])
        if _is_whole(text, start, end) and _is_v6(text[start:end], _before(text, start)):
            yield Span(start, end, "ip")


def _is_whole(text: str, start: int, end: int) -> bool:
    return not (_PART_BEFORE.search(text[max(0, start - 2) : start]) or _PART_AFTER.match(text, end, end + 2))


def _before(text: str, start: int) -> str:
    return text[max(0, start - _WORDS_BEFORE) : start]


def _is_v4(value: str, before: str) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    if _VERSION.search(before) and not before.endswith("//"):
        return False
    return len(value) > len("1.2.3.4") or _ADDRESS.search(before) is not None


def _is_v6(value: str, before: str) -> bool:
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    groups = [group for group in value.split(":") if group]
    telling = len(groups) >= 4 or (len(groups) >= 2 and any(len(group) >= 3 for group in groups))
    has_digit = any(character.isdigit() for character in value)
    return has_digit and (telling or _ADDRESS.search(before) is not None)
