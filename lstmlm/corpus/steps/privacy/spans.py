"""Spans of personal data in a text, and which of them win where they overlap."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

# What carries a check or a form of its own comes before what has only a typical shape.
KINDS = ("url_credentials", "email", "iban", "card", "national_id", "ip", "phone", "name", "address")

_RANK = {kind: rank for rank, kind in enumerate(KINDS)}

# What `replace` leaves behind. Nothing is found in it, so that scrubbing a scrubbed text changes nothing.
_REPLACED = re.compile(
    rf"<(?:{'|'.join(kind.upper() for kind in KINDS)})(?:-[0-9a-f]{{8}})?>|user-[0-9a-f]{{8}}@example\.invalid"
)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text, and the kind of personal data they hold."""

    start: int
    end: int
    kind: str


def without_overlaps(spans: Iterable[Span], text: str) -> list[Span]:
    """Returns the spans that win, in order of their place in the text.

    Of spans that overlap, the one of the more specific kind wins (`KINDS`), among equals the longest, then the first.
    A span that touches an earlier replacement, such as `<EMAIL>`, is left out.

    Args:
        spans: What the matchers found, in any order.
        text: The text they were found in.
    """
    # A byte a character, so that thousands of spans are not each compared with all others.
    taken = bytearray(len(text))
    for match in _REPLACED.finditer(text):
        taken[match.start() : match.end()] = b"\1" * len(match[0])
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (_RANK[span.kind], span.start - span.end, span.start)):
        if taken.find(1, span.start, span.end) < 0:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            kept.append(span)
    return sorted(kept)
