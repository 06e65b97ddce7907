"""Spans of personal data in a text, and how overlapping spans are resolved."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable
from typing import NamedTuple

# What carries a check or a form of its own comes before what has only a typical shape.
KINDS = ("url_credentials", "email", "iban", "card", "national_id", "ip", "phone")
"""The kinds of this package, the most specific first. Others come after them."""

OF_PRESIDIO = ("name", "address")
"""The kinds that Presidio finds."""

_RANK = {kind: rank for rank, kind in enumerate((*KINDS, *OF_PRESIDIO))}


@functools.cache
def _replaced(others: tuple[str, ...]) -> re.Pattern[str]:
    """Returns the pattern of replacements: nothing is found in them, so scrubbing again changes nothing."""
    kinds = "|".join(re.escape(kind.upper()) for kind in (*_RANK, *others))
    return re.compile(rf"<(?:{kinds})(?:-[0-9a-f]{{8}})?>|user-[0-9a-f]{{8}}@example\.invalid")


class PiiSpan(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text, and the kind of personal data they hold."""

    start: int
    end: int
    kind: str


def without_overlaps(spans: Iterable[PiiSpan], text: str, others: tuple[str, ...] = ()) -> list[PiiSpan]:
    """Returns the spans that win, in order of their place in the text.

    Of spans that overlap, the one of the more specific kind wins (`KINDS`), among equals the longest, then the first.
    A span that touches an earlier replacement, such as `<EMAIL>`, is left out.

    Args:
        spans: What the matchers found, in any order.
        text: The text they were found in.
        others: Kinds of other packages.
    """
    # One byte per character, so that thousands of spans need not be compared with each other.
    taken = bytearray(len(text))
    for match in _replaced(others).finditer(text):
        taken[match.start() : match.end()] = b"\1" * len(match[0])
    in_order = sorted(spans)
    if all(one.end <= other.start for one, other in itertools.pairwise(in_order)):  # as in nearly all texts
        return [span for span in in_order if taken.find(1, span.start, span.end) < 0]
    kept: list[PiiSpan] = []
    for span in sorted(in_order, key=lambda span: (_RANK.get(span.kind, len(_RANK)), span.start - span.end)):
        if taken.find(1, span.start, span.end) < 0:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)
