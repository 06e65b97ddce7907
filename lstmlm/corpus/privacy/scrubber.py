"""Replaces personal data in texts and records."""

from __future__ import annotations

import collections
import dataclasses

from lstmlm.corpus.privacy.find import Finder
from lstmlm.corpus.privacy.replace import Replacement, replace
from lstmlm.records import Record


class Scrubber:
    """Replaces personal data in texts, until there is none: scrubbing a scrubbed text changes nothing.

    Args:
        finder: What finds it.
        replacement: What stands in its place.
    """

    def __init__(self, finder: Finder, replacement: Replacement) -> None:
        self._finder = finder
        self._replacement = replacement

    def text(self, text: str, counts: collections.Counter[str]) -> str:
        """Returns the text without personal data, and adds to `counts` how many spans of each kind it had."""
        # What is left of overlapping finds may be one by itself. Every round replaces characters that no later one
        # touches (`without_overlaps`), so the rounds end.
        while spans := self._finder.find(text):
            counts.update(span.kind for span in spans)
            text = replace(text, spans, self._replacement)
        return text

    def record(self, record: Record, counts: collections.Counter[str]) -> Record:
        """Returns the record with every text scrubbed; the very same one where there is nothing to replace."""
        source = self.text(record.source, counts)
        targets = tuple(self.text(target, counts) for target in record.targets)
        if source == record.source and targets == record.targets:
            return record
        return dataclasses.replace(record, source=source, targets=targets)
