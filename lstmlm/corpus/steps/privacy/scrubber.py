"""Replaces personal data in texts and records."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Sequence

from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.replace import Replacement, replace
from lstmlm.records.record import Record

MOST_ROUNDS = 16
"""Times that a text is searched at most: one of random pieces takes up to four."""

UNSETTLED = "unsettled"
"""Under which a text is counted in which there was still something to find after so many rounds."""

REMOVED = "<REMOVED>"
"""The replacement of such a text."""

_TOGETHER = 16


class Scrubber:
    """Replaces personal data in texts, until there is none: scrubbing a scrubbed text changes nothing.

    Attributes:
        finder: What finds it.

    Args:
        finder: What finds it.
        replacement: Its replacement.
    """

    def __init__(self, finder: Finder, replacement: Replacement) -> None:
        self.finder = finder
        self._replacement = replacement

    def text(self, text: str, counts: collections.Counter[str]) -> str:
        """Returns the text without personal data, and adds to `counts` how many spans of each kind it had.

        Also counted: `phone_unchecked`, numbers that were replaced or left by their form as there were too many of them
        to look each up; and `unsettled`, texts that are gone as a whole (`REMOVED`).
        """
        # What is left of overlapping finds may be one by itself. Every round replaces characters that no later one
        # touches (`without_overlaps`), so the rounds end; but a hostile text could make as many as it has numbers.
        for _ in range(MOST_ROUNDS):
            spans = self.finder.find(text) if self.finder.may_find(text) else []
            if not spans:
                return text
            counts.update(span.kind for span in spans)
            if self.finder.unchecked:
                counts["phone_unchecked"] += self.finder.unchecked
            text = replace(text, spans, self._replacement)
        counts[UNSETTLED] += 1
        return REMOVED

    def records(self, records: Sequence[Record], counts: collections.Counter[str]) -> list[Record]:
        """Returns the records with every text scrubbed; those with nothing to replace are the very same."""
        scrubbed: list[Record] = []
        for start in range(0, len(records), _TOGETHER):
            some = records[start : start + _TOGETHER]
            # Most texts have nothing; short ones cost less to look at together.
            joined = "\n".join(text for record in some for text in record.texts())
            scrubbed += [self._record(record, counts) for record in some] if self.finder.may_find(joined) else some
        return scrubbed

    def _record(self, record: Record, counts: collections.Counter[str]) -> Record:
        found = record.with_texts(functools.partial(self.text, counts=counts))
        # A span that was replaced in part is no answer any more.
        return dataclasses.replace(record, source=REMOVED) if found is None else found
