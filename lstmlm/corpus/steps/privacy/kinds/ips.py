"""IP addresses of both versions, public and private."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from lstmlm.corpus.steps.privacy.spans import PiiSpan

_OCTETS = r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"

# Begins with one character, which `re` skips to many times as quickly as to the next of a set of them.
V4_FIRST = re.compile(r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_V4 = re.compile(_OCTETS)
V6_SIGN = re.compile(r":[0-9A-Fa-f]{0,4}:")
_V6_HEAD = re.compile(r"[0-9A-Fa-f:]*")  # read backwards
_V6_TAIL = re.compile(r"[0-9A-Fa-f:]{2,39}(?:(?<=[:0-9])(?:\.[0-9]{1,3}){3})?")
_LONGEST_V6 = 39
_V4_TAIL = re.compile(rf":({_OCTETS})\Z")

# What touches an address and makes it a part of something else: `v1.2.3.4`, `1:1.2.3.4`, `0.1.2.3.4`.
_V4_PART_BEFORE = re.compile(r"(?<![A-Za-z])ip\Z|([\w]|[0-9][.\-]|(?<![\w.])[0-9]:)\Z", re.ASCII | re.IGNORECASE)
_RANGE_BEFORE = re.compile(rf"(?<![\w.]){_OCTETS}(?::[0-9]{{1,5}}|/[0-9]{{1,2}})? ?-\Z")
_LONGEST_BEFORE = 24  # of what comes before the second end of a range
_RANGE_AFTER = re.compile(rf"-{_OCTETS}(?![\w.])")
# After it may come the end of a range, a port as tcpdump writes it, or the name of a reverse look-up.
_V4_PART_AFTER = re.compile(
    rf"(?!-{_OCTETS}|\.in-addr|\.[A-Z][a-z])(?:\w|\.[A-Za-z]|[.\-]([0-9]+)(?![0-9.]*[A-Za-z_])|[.\-][0-9])", re.ASCII
)
_NUMBER_BEFORE = re.compile(r"([0-9]|[0-9]\.)\Z")
_NUMBER_AFTER = re.compile(r"[0-9]|\.([0-9]+)")
_V6_PART_BEFORE = re.compile(r"[\w:.]\Z", re.ASCII)
_V6_PART_AFTER = re.compile(r"\w", re.ASCII)
_V6_NETWORK = re.compile(r"/[0-9]{1,3}(?![0-9])|(?<=:[0-9])\]:[0-9]{2,5}(?![0-9])")

_WORDS_BEFORE = 24
_WORDS = re.compile(r"[A-Za-z/=§]")  # without one of these, the text before says nothing
_VERSION = re.compile(
    r"\b(?:v|ver|vers|version|release|rev|revision|build|firmware|kernel|driver|patch|update|sdk|library"
    r"|section|sections|sec|chapter|clause|article|figure|fig|table|appendix|paragraph)\.?[\s:=]*\Z"
    r"|(?:[§=]=?|[<>~!]=)\s?v?\Z|[A-Za-z)]/v?\Z",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b(?:ip|ips|ipv4|ipv6|inet6?|addr|address|addresses|host|server|client|dns|ping|gateway|router|subnet|netmask|src|dst"
    r"|source|destination|peer|remote)\b[^.!?\n]{0,12}\Z|//\Z",
    re.IGNORECASE,
)
_PORT = re.compile(r":[0-9]{1,5}(?![0-9.])")
_VERSION_KEY = re.compile(r"(?:v|ver|version|release|rev|revision|build|firmware)=\s?\Z", re.IGNORECASE)
_KEY_BEFORE = re.compile(r"[A-Za-z_]=\s?\Z")


def find_ips(text: str) -> Iterator[PiiSpan]:
    """Yields IPv4 and IPv6 addresses, both ends of a range too.

    Four numbers with dots are also a version or a section: after a word that says so they are left, and where no
    number has two digits (`1.2.3.4`) only a word such as `host` before them makes them an address. Of IPv6, short forms
    that code is full of (`1::2`, `::1`) are left likewise.

    Args:
        text: Folded (`lstmlm.corpus.steps.privacy.fold`).
    """
    ends: set[int] = set()
    for span in _find_v6(text):
        ends.add(span.end)
        yield span
    for match in _V4.finditer(text):
        start, end = match.span()
        if end not in ends and _is_whole_v4(text, start, end) and _is_v4(text, start, end):
            yield PiiSpan(start, end, "ip")


def _find_v6(text: str) -> Iterator[PiiSpan]:
    position = 0
    while sign := V6_SIGN.search(text, position):
        backwards = text[max(position, sign.start() - _LONGEST_V6) : sign.start()][::-1]
        head = _V6_HEAD.match(backwards)
        start = sign.start() - (head.end() if head else 0)
        tail = _V6_TAIL.match(text, sign.start())
        position = tail.end() if tail else sign.end()
        # A colon that ends a clause is not part of the address.
        end = position - (text[position - 1] == ":" != text[position - 2])
        if _is_whole_v6(text, start, end) and _is_v6(text, start, end):
            yield PiiSpan(start, end, "ip")


def _is_whole_v4(text: str, start: int, end: int) -> bool:
    if "0" <= text[end : end + 1] <= "9":
        return False
    may_be_version = not _is_no_version(text[start:end])
    before = (_V4_PART_BEFORE if may_be_version else _NUMBER_BEFORE).search(text, max(0, start - 3), start)
    if before and before[1] and not _RANGE_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start):
        return False
    after = (_V4_PART_AFTER if may_be_version else _NUMBER_AFTER).match(text, end, end + 24)
    return after is None or (after[1] is not None and _continues(text, start, end, after[1]))


def _is_no_version(value: str) -> bool:
    """Returns whether two numbers have three digits: then letters may touch the address, as in names of files."""
    return len([octet for octet in value.split(".") if len(octet) == 3 and octet <= "255"]) >= 2


def _continues(text: str, start: int, end: int, number: str) -> bool:
    """Returns whether the number after an address ends a range (`192.0.2.1-9`) or is a port (`192.0.2.1.8080`)."""
    if text[end] == "-":
        return int(text[start:end].rpartition(".")[2]) < int(number) <= 255 if len(number) <= 3 else False
    return 3 <= len(number) <= 5 and 255 < int(number) < 65536


def _is_v4(text: str, start: int, end: int) -> bool:
    value, before = text[start:end], text[max(0, start - _WORDS_BEFORE) : start]
    octets = value.split(".")
    if any(int(octet) > 255 for octet in octets):
        return False
    has_words = _WORDS.search(before) is not None
    named = has_words and _ADDRESS.search(before) is not None
    padded = [octet for octet in octets if len(octet) > 1 and octet[0] == "0"]
    if padded and not named and not any(len(octet) == 3 for octet in octets):
        return False  # `01.02.03.04`
    if has_words and _VERSION.search(before) and not before.endswith("//"):
        is_value = _KEY_BEFORE.search(before) and not _VERSION_KEY.search(before)
        if not is_value and not (before.endswith("/") and _PORT.match(text, end)):
            return False
    if named or len(value) > len("1.2.3.4"):
        return True
    return bool(_RANGE_AFTER.match(text, end) or _RANGE_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start))


def _is_whole_v6(text: str, start: int, end: int) -> bool:
    return not (_V6_PART_BEFORE.search(text, max(0, start - 1), start) or _V6_PART_AFTER.match(text, end, end + 1))


def _is_v6(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    mapped = _V4_TAIL.search(value)
    if mapped:
        octets = [int(octet) for octet in mapped[1].split(".")]
        value = value[: mapped.start(1)] + ".".join(map(str, octets))
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    groups = [group for group in value.split(":") if group]
    distinctive = len(groups) >= 4 or (len(groups) >= 2 and any(len(group) >= 3 for group in groups))
    if "::" not in value and all(len(group) <= 2 and group.isdigit() for group in groups):
        distinctive = False  # `1:2:3:4:5:6:7:8`
    distinctive = distinctive or _V6_NETWORK.match(text, end) is not None
    has_digit = any(character.isdigit() for character in value)
    return has_digit and (distinctive or _ADDRESS.search(text[max(0, start - _WORDS_BEFORE) : start]) is not None)
